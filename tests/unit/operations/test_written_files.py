"""What is erased leaves the alert lines, the report and its annex too."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.sightings import sighting_of

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.domain.counts import CameraCounts
from openlfr.domain.deployment import Authorisation
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.runs import WrittenFiles
from openlfr.domain.summary import AlertItem, RunSummary
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.embedded.lines import AlertLines
from openlfr.operations.evidence import to_jpeg
from openlfr.operations.report import write_report
from openlfr.operations.written_files import SEALED, ErasedIds, erase_written, seal_written

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PICTURE = to_jpeg(np.full((40, 30, 3), 90, np.uint8))


def events_of(subject, *seconds):
    book = MemoryAlertBook()
    flag = ImpossibleMatch(ImpossibleReason.TOO_FAR, "south-gate-3", 2.0, 900.0)
    return [
        book.fold(
            sighting_of(
                "street", f"gate-{second}", 1, second, subject, "default", "reference-7",
                NOON + timedelta(seconds=second), Box(10, 20, 30, 40), 0.5 + second / 1000, 0.4,
                60.0,
            ),
            window=timedelta(minutes=3), impossible=flag if second else None,
        )
        for second in seconds
    ]  # fmt: skip


HOURS = (NOON, NOON + timedelta(hours=2))
SUMMARY = RunSummary(
    run_id="run-1", software="OpenLFR 0", config_hash="c" * 64, deployment_id="d-1",
    deployment=Authorisation("Market", "Find", "Square", "Act 5", "Chief X", *HOURS),
    started_at=NOON, ended_at=NOON, ended_how="sources ended",
    threshold=Threshold(0.4, ThresholdOrigin.SET, 3), models=(), providers=(), watchlists=(),
    cameras=(CameraCounts("gate-0"),), timings=(), alerts=(),
)  # fmt: skip
ANN, BOB = events_of("Ann Unverwechselbar", 0, 5), events_of("Bob Bleibt", 7, 9)


@pytest.fixture
def lines(tmp_path):
    """The file of a run that goes on."""
    opened = AlertLines(tmp_path / "alerts.jsonl", io.StringIO())
    for event in (*ANN, *BOB):
        opened.write(event, NOON)
    yield opened
    opened.close()


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_of_an_erased_alert_contain_no_person_and_no_place(lines, tmp_path):
    path = tmp_path / "alerts.jsonl"
    (tmp_path / "copy.jsonl").write_bytes(path.read_bytes())
    files = [WrittenFiles(path), WrittenFiles(path, tmp_path), WrittenFiles(tmp_path / "gone")]
    size = path.stat().st_size
    erased = ErasedIds(alerts=frozenset({ANN[0].alert_id}))
    assert erase_written(files, erased) == 1
    assert erase_written(files, erased) == 0
    assert path.stat().st_size == size
    first, second, *others = read(path)
    assert first == {
        "event": "opened", "event_id": ANN[0].event_id, "alert_id": ANN[0].alert_id, "erased": True,
    }  # fmt: skip
    assert second["erased"]
    assert others == read(tmp_path / "copy.jsonl")[2:]
    assert b"Ann" not in path.read_bytes()
    assert b"gate-0" not in path.read_bytes()
    # The run goes on with the same file, and so does one that is resumed.
    later = events_of("Carl", 30)[0]
    lines.write(later, NOON)
    assert [each.get("subject") for each in read(path)] == [
        None, None, "Bob Bleibt", "Bob Bleibt", "Carl",
    ]  # fmt: skip
    again = AlertLines(path)
    assert again.written_ids == {event.event_id for event in (*ANN, *BOB, later)}
    again.close()


@pytest.mark.usefixtures("lines")
def test_the_line_of_a_single_event_is_unchanged(tmp_path):
    path = tmp_path / "alerts.jsonl"
    assert erase_written([WrittenFiles(path)], ErasedIds(events=frozenset({BOB[1].event_id})))
    assert ["erased" in each for each in read(path)] == [False, False, False, True]


def test_an_incomplete_line_and_other_text_are_unchanged(tmp_path):
    path = tmp_path / "alerts.jsonl"
    unfinished = json.dumps({"event": "opened", "alert_id": ANN[0].alert_id}).encode()
    path.write_bytes(b"note\n[1]\n" + unfinished)
    before = path.read_bytes()
    assert erase_written([WrittenFiles(path)], ErasedIds(frozenset({ANN[0].alert_id}))) == 0
    assert path.read_bytes() == before


@pytest.fixture
def report(tmp_path):
    """A report of both alerts, with pictures."""
    items = [
        AlertItem(event, PICTURE, PICTURE, PICTURE, "wanted", "order 7") for event in (*ANN, *BOB)
    ]
    write_report(replace(SUMMARY, alerts=tuple(items)), tmp_path / "report")
    return tmp_path / "report"


def holding(folder, words):
    return sorted(file.name for file in folder.iterdir() if words in file.read_bytes())


def consistent(folder):
    """Whether each file names the hashes of the others as they are."""
    data, annex = (folder / "report.json").read_bytes(), (folder / "annex.html").read_bytes()
    page = (folder / "report.html").read_text()
    named = json.loads(data)["annex"]["sha256"]
    return (
        named == hashlib.sha256(annex).hexdigest()
        and named in page
        and hashlib.sha256(data).hexdigest() in page
    )


@pytest.mark.parametrize("single", [False, True])
def test_erased_data_is_removed_from_a_report_and_its_annex(report, single):
    every = ["annex.html", "report.html", "report.json"]
    assert consistent(report)
    if single:
        erased, gone = ErasedIds(events=frozenset({ANN[1].event_id})), b"gate-5"
    else:
        erased, gone = ErasedIds(alerts=frozenset({ANN[0].alert_id})), b"Ann Unverwechselbar"
    assert holding(report, gone) == every
    assert erase_written([WrittenFiles(report=report)], erased) == 1
    assert holding(report, gone) == []
    assert holding(report, b"Bob Bleibt") == every
    assert consistent(report)
    entries = json.loads((report / "report.json").read_bytes())["alerts"]
    assert [each.get("erased", False) for each in entries] == [not single, True, False, False]
    assert entries[1]["sighting"]["subject"] == entries[1]["sighting"]["reference_id"] == ""
    assert erase_written([WrittenFiles(report=report)], erased) == 0


def test_nothing_in_a_report_joins_a_rejected_sighting_to_the_other_person(report):
    stranger = ANN[1]
    before = (report / "report.html").read_text()
    assert "Score <b>0.505</b>" in before
    entry = json.loads((report / "report.json").read_bytes())["alerts"][1]
    assert entry["sighting"]["sighting_id"] == stranger.sighting.sighting_id
    erased = ErasedIds(events=frozenset({stranger.event_id}))
    assert erase_written([WrittenFiles(report=report)], erased) == 1
    entry = json.loads((report / "report.json").read_bytes())["alerts"][1]
    kept = {name: value for name, value in entry["sighting"].items() if value}
    assert kept.pop("box") == [0, 0, 0, 0]
    assert kept == {"deployment": "street", "watchlist": "default", "threshold": 0.4}
    assert (entry["event"], entry["rejected"], entry["erased"]) == ("joined", True, True)
    assert holding(report, stranger.sighting.sighting_id.encode()) == []
    assert holding(report, b"12:00:05") == []
    page = (report / "report.html").read_text()
    card = page[page.index("<!-- alert " + stranger.alert_id) :].split("<!-- /alert -->")[0]
    assert "0.505" not in card
    assert "Score <b>0.500</b>" in card
    assert "<caption>1 sighting</caption>" in card
    assert "Score <b>0.509</b>" in page  # of the other alert


def test_only_the_pictures_of_a_sealed_alert_are_removed_from_the_annex(report):
    files, alert = [WrittenFiles(report=report)], ANN[0].alert_id
    before = (report / "annex.html").read_text()
    assert before.count("data:image/jpeg") == 6
    assert seal_written(files, [alert]) == 1
    annex = (report / "annex.html").read_text()
    assert annex.count("data:image/jpeg") == 3
    assert "Ann Unverwechselbar" not in annex
    assert f"<code>{alert}</code> {SEALED}" in annex
    assert "Bob Bleibt" in annex
    assert consistent(report)
    assert holding(report, b"Ann Unverwechselbar") == ["report.html", "report.json"]
    assert seal_written(files, [alert]) == seal_written(files, []) == 0
    # What is erased later finds the place.
    assert erase_written(files, ErasedIds(frozenset({alert}))) == 1
    assert SEALED not in (report / "annex.html").read_text()
    assert "This alert was erased." in (report / "annex.html").read_text()
    assert consistent(report)


def test_a_rewrite_interrupted_by_a_crash_starts_again(report):
    files, alert = [WrittenFiles(report=report)], ANN[0].alert_id
    before = {name: (report / name).read_bytes() for name in ("report.html", "report.json")}
    assert seal_written(files, [alert]) == 1
    for lost in (("report.html", "report.json"), ("report.json",)):  # written after the annex
        for name in lost:
            (report / name).write_bytes(before[name])
        assert seal_written(files, [alert]) == 1
        assert consistent(report)


def test_the_face_is_removed_even_from_an_annex_without_its_report(report):
    (report / "report.json").write_text("no report")
    seal_written([WrittenFiles(report=report)], [ANN[0].alert_id])
    assert "Ann Unverwechselbar" not in (report / "annex.html").read_text()
    (report / "report.json").unlink()
    assert seal_written([WrittenFiles(report=report)], [BOB[0].alert_id]) == 1
    assert "data:image" not in (report / "annex.html").read_text()


def test_an_unwritable_file_delays_no_other_erasure(tmp_path):
    (tmp_path / "report.json").write_text('{"alerts": 3}')
    folder = tmp_path / "folder"
    folder.mkdir()
    files = [WrittenFiles(folder, tmp_path)]
    assert erase_written(files, ErasedIds(frozenset({"a"}))) == 0
