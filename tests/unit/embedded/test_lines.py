"""Each alert is one line in the file, even after the file was damaged."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.sightings import sighting_of

from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.faces import Box
from openlfr.embedded.lines import AlertLines

AT = datetime(2026, 11, 23, 9, 0, 1, 500_000, tzinfo=UTC)


def event(seq: int, kind: EventKind = EventKind.OPENED) -> AlertEvent:
    seen = sighting_of(
        deployment="market", camera="gate", epoch=1, seq=seq, subject="Jürgen", watchlist="default",
        reference_id="r", captured_at=AT + timedelta(seconds=seq), box=Box(1.04, 2, 30, 40.25),
        score=0.512345, threshold=0.4, quality=55.55,
    )  # fmt: skip
    return AlertEvent(kind, event_id_of(seen.sighting_id), alert_id_of(seen.sighting_id), seen)


def write(path, *events):
    lines = AlertLines(path)
    for one in events:
        lines.write(one, AT)
    lines.close()


def ids_in(path):
    return [json.loads(line)["event_id"] for line in path.read_text("utf-8").splitlines()]


def test_a_line_contains_exactly_the_documented_fields(tmp_path):
    stream = io.StringIO()
    lines = AlertLines(tmp_path / "new" / "alerts.jsonl", stream)
    emitted = datetime(2026, 11, 23, 11, 0, tzinfo=timezone(timedelta(hours=1)))
    lines.write(event(7), emitted)
    lines.close()
    written = (tmp_path / "new" / "alerts.jsonl").read_text("utf-8")
    assert written == stream.getvalue()
    assert json.loads(written) == {
        "event": "opened",
        "event_id": event(7).event_id,
        "alert_id": event(7).alert_id,
        "subject": "Jürgen",
        "camera": "gate",
        "frame_index": 7,
        "captured_at": "2026-11-23T09:00:08.500Z",
        "emitted_at": "2026-11-23T10:00:00.000Z",
        "box": [1.0, 2.0, 30.0, 40.2],
        "score": 0.5123,
        "threshold": 0.4,
        "quality": 55.5,
        "time_assumed": False,
    }


def test_an_event_is_in_the_file_once_however_often_it_is_written(tmp_path):
    path = tmp_path / "alerts.jsonl"
    write(path, event(1), event(2), event(1))
    write(path, event(2), event(3))
    assert ids_in(path) == [event(n).event_id for n in (1, 2, 3)]


@pytest.mark.parametrize("cut", [1, 5, 12, 60, 200])
def test_a_truncated_line_is_removed_and_can_be_written_again(tmp_path, cut):
    path = tmp_path / "alerts.jsonl"
    write(path, event(1), event(2))
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    path.write_bytes(whole[: second + cut])
    lines = AlertLines(path)
    assert lines.written_ids == {event(1).event_id}
    lines.write(event(2), AT)
    lines.close()
    assert path.read_bytes() == whole


def test_zeros_left_by_a_failed_disk_are_removed(tmp_path):
    path = tmp_path / "alerts.jsonl"
    write(path, event(1))
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0" * 4096)
    AlertLines(path).close()
    assert path.read_bytes() == whole


def test_a_complete_line_without_its_line_break_is_retained(tmp_path):
    path = tmp_path / "alerts.jsonl"
    write(path, event(1))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    write(path, event(1), event(2))
    assert ids_in(path) == [event(1).event_id, event(2).event_id]


@pytest.mark.parametrize("content", [b"dear diary", b"a,b\n1,2", b"\x00\x00\x18ftypmp42", b"{}"])
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "diary.txt"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"diary.txt is not a file of alert lines"):
        AlertLines(path)
    assert path.read_bytes() == content


def test_an_unwritable_path_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r"alerts.jsonl cannot be written: File exists"):
        AlertLines(tmp_path / "file" / "alerts.jsonl")


def test_a_full_disk_is_reported_with_advice(tmp_path):
    lines = AlertLines(tmp_path / "alerts.jsonl")
    lines._file.close()
    lines._file = Path("/dev/full").open("ab+")  # noqa: SIM115 - how it closes is tested
    with pytest.raises(Unavailable, match=r"alerts.jsonl cannot be written: No space.*--resume"):
        lines.write(event(1), AT)
    assert event(1).event_id not in lines.written_ids
    lines.close()  # published lines are not published again


def test_a_device_is_no_file():
    with pytest.raises(Misconfigured, match="/dev/zero is not a regular file"):
        AlertLines(Path("/dev/zero"))


def test_without_a_file_no_line_is_known():
    stream = io.StringIO()
    lines = AlertLines(None, stream)
    lines.write(event(1, EventKind.JOINED), AT)
    lines.close()
    assert not lines.has_file
    assert json.loads(stream.getvalue())["event"] == "joined"
