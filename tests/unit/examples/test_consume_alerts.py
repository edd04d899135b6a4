"""The example consumer: each event once, in the words of `openlfr run`, and nothing written."""

from __future__ import annotations

import dataclasses
import json
import runpy
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import kafka
import pytest

from openlfr.domain.alerts import AlertEvent, EventKind, Sighting, alert_id_of, event_id_of
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Impossible, Why
from openlfr.embedded.lines import alert_line
from openlfr.wire import codec

FILE = Path(__file__).resolve().parents[3] / "examples/consume_alerts.py"
Fetched = namedtuple("Fetched", "topic partition offset value headers")
AT = datetime(2026, 11, 23, 9, 0, 0, 123456, UTC)


@pytest.fixture(scope="module")
def example():
    return SimpleNamespace(**runpy.run_path(str(FILE)))


def event(seq, kind=EventKind.OPENED):
    sighting = Sighting(
        "market", "gate", 1, seq, "anna", "default", "0b2e", AT, Box(1.26, 2, 30, 40),
        0.61239, 0.45, 71.26,
    )  # fmt: skip
    sighting_id = sighting.sighting_id
    return AlertEvent(kind, event_id_of(sighting_id), alert_id_of(sighting_id), sighting)


def fetched(event, offset=0, emitted_at=AT):
    record = codec.encode_alert(event, emitted_at)
    return Fetched("alerts.v1", 2, offset, record.value, record.headers)


class FakeConsumer:
    """Gives its batches, then Ctrl-C; it can do nothing but read, commit and close."""

    def __init__(self, *batches):
        self.batches = list(batches)
        self.done = []

    def poll(self, timeout_ms):
        if not self.batches:
            raise KeyboardInterrupt
        batch = self.batches.pop(0)
        return {"partition": batch} if batch else {}

    def commit(self):
        self.done.append("commit")

    def close(self):
        self.done.append("close")


@pytest.mark.parametrize("flag", [None, Impossible(Why.TOO_FAR, "park", 1.5, 4200)])
def test_an_event_is_printed_as_openlfr_run_prints_it(example, flag):
    first = dataclasses.replace(event(7), impossible=flag)
    (line,) = example.lines([fetched(first, emitted_at=AT + timedelta(seconds=1))], example.Seen())
    ours = alert_line(first, AT + timedelta(seconds=1))
    assert json.loads(line) == {key: ours[key] for key in json.loads(line)}
    assert {"event", "event_id", "alert_id", "subject", "box", "score"} <= set(json.loads(line))
    assert set(ours) - set(json.loads(line)) <= {"watchlist", "sighting_id"}
    assert ("impossible" in json.loads(line)) == (flag is not None)


def test_an_event_that_comes_again_is_printed_once(example):
    seen = example.Seen()
    again = dataclasses.replace(event(7), event=EventKind.JOINED)
    batches = [[fetched(event(7)), fetched(event(8))], [fetched(again, 2), fetched(event(9), 3)]]
    printed = [json.loads(line) for batch in batches for line in example.lines(batch, seen)]
    assert [line["frame_index"] for line in printed] == [7, 8, 9]


def test_ids_are_forgotten_oldest_first(example):
    seen = example.Seen(most=2)
    assert [seen.is_new(each) for each in "abcab"] == [True, True, True, True, True]
    assert seen.is_new("b") is False


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": b"garbage"}, "cannot be parsed"),
        ({"value": None}, "is empty"),
        ({"headers": [("schema", b"openlfr.wire.v1.Frame")]}, "where a openlfr.wire.v1.Alert"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_goes_on(example, capsys, change, reason):
    records = [fetched(event(1), 40)._replace(**change), fetched(event(2), 41)]
    assert len(list(example.lines(records, example.Seen()))) == 1
    said = capsys.readouterr().err
    assert said.startswith("left out: alerts.v1, partition 2, offset 40: ")
    assert reason in said


def test_it_reads_in_its_own_group_and_commits_what_it_printed(example, capsys, monkeypatch):
    consumer = FakeConsumer([fetched(event(1))], [], [fetched(event(1)), fetched(event(2))])
    asked = {}

    def connect(*topics, **how):
        asked.update(how, topics=topics)
        return consumer

    monkeypatch.setattr(kafka, "KafkaConsumer", connect)
    assert example.main(["--group", "mine", "--bootstrap", "a:1,b:2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert consumer.done == ["commit", "commit", "close"]
    assert asked["topics"] == ("alerts.v1",)
    assert asked["group_id"] == "mine"
    assert asked["bootstrap_servers"] == ["a:1", "b:2"]
    assert asked["enable_auto_commit"] is False


def test_it_asks_for_a_group(example, capsys):
    with pytest.raises(SystemExit):
        example.main([])
    assert "--group" in capsys.readouterr().err
