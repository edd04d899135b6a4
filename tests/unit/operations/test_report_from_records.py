"""The report of a deployment that is made from the records alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.reported import ANN, CONDITIONS, MARKET, NOON, Reported
from tests.unit.operations.test_report import Page

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.sql.records import Records
from openlfr.domain.errors import BadInput
from openlfr.domain.runs import WrittenFiles
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.operations import deployments
from openlfr.operations.reject import Rejection, reject_sighting
from openlfr.operations.report_deployment import report_deployment

LATER = NOON + timedelta(hours=3)


@pytest.fixture(params=["sqlite", "memory"])
def market(request, tmp_path):
    if request.param == "memory":
        yield Reported(MemoryRecords())
        return
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        yield Reported(records)


def report(market, folder):
    report_deployment("market", folder, records=market.records, by=ANN, at=LATER)
    return Page(folder / "report.html").text, json.loads((folder / "report.json").read_text())


def test_the_report_contains_all_runs_and_cameras(market, tmp_path):
    market.count("gate")
    market.count("yard", searched=9)
    market.count("gate", first=100, searched=2, epoch=2)
    market.see(0, 5)
    market.see(7, subject="bob", camera="yard")
    market.stop()
    page, figures = report(market, tmp_path)
    assert "2 alerts from 18 faces seen at 2 cameras" in page
    assert figures["total"]["tracks_searched"] == 15
    assert [(each["camera"], each["alerts_opened"], each["alerts_joined"])
            for each in figures["cameras"]] == [("gate", 1, 1), ("yard", 1, 0)]  # fmt: skip
    assert [each["sighting"]["subject"] for each in figures["alerts"]] == ["ann", "ann", "bob"]
    assert figures["ended_how"] == "stopped"
    assert figures["ended_at"] == "2026-11-23T13:00:00.000Z"
    assert figures["threshold_basis"]["origin"] == "set"
    assert figures["watchlists"] == [{"name": "default", "references": 2, "subjects": 2}]
    assert (figures["config_hash"], figures["timings"]) == ("c" * 64, [])
    for part in ("Chief Jones", "set in matching.threshold", "OpenLFR 1", "sface", "market"):
        assert part in page, part
    assert "Time by stage" not in page
    assert "has not ended" not in page


def test_the_report_of_a_deployment_that_continues_states_it(market, tmp_path):
    market.count("gate")
    page, figures = report(market, tmp_path)
    assert "has not ended (it is started), so its figures can still change" in page
    assert figures["ended_at"] is None
    assert "since 23 November 2026 12:00:00 UTC" in page


def test_a_closing_after_a_stop_does_not_change_the_end(market):
    market.stop()
    deployments.close("market", "", records=market.records, by=ANN, at=NOON + timedelta(days=2))
    summary = market.summary()
    assert (summary.ended_how, summary.ended_at) == ("closed", NOON + timedelta(hours=1))


def test_several_thresholds_are_stated(market, tmp_path):
    other = replace(CONDITIONS, threshold=Threshold(0.5, ThresholdOrigin.SET, 2))
    market.open_baseline(9, other)
    page, figures = report(market, tmp_path)
    assert "The threshold changed during the deployment (0.450, 0.500)" in page
    assert figures["threshold"] == 0.5


def test_a_report_is_the_same_each_time(market, tmp_path):
    market.count("gate")
    market.see(0)
    market.stop()
    report(market, tmp_path / "one")
    report(market, tmp_path / "two")
    for name in ("report.html", "report.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_folder_is_recorded_and_an_erasure_changes_the_report(market, tmp_path):
    market.see(0, subject="Zacharias")
    page, _ = report(market, tmp_path / "report")
    assert "Zacharias" in page
    assert market.records.written_files() == [WrittenFiles(report=tmp_path / "report")]
    act = market.records.audit.all(object_kind="deployment")[-1]
    assert (act.kind, act.by.name) == ("deployment.report_written", "Ann Smith")
    assert act.detail["folder"] == str(tmp_path / "report")
    market.erase()
    for name in ("report.html", "report.json"):
        assert "Zacharias" not in (tmp_path / "report" / name).read_text()
    assert "This alert was erased." in (tmp_path / "report" / "report.html").read_text()


def test_a_report_after_an_erasure_is_that_which_the_erasure_left(market, tmp_path):
    market.see(0, subject="Zacharias")
    market.see(1, subject="bob")
    report(market, tmp_path / "before")
    market.erase()
    report(market, tmp_path / "after")
    after = (tmp_path / "after" / "report.json").read_bytes()
    assert after == (tmp_path / "before" / "report.json").read_bytes()
    assert b"Zacharias" not in after
    page = Page(tmp_path / "after" / "report.html").text
    assert page.count("This alert was erased.") == 2
    assert "2 alerts" in page


def test_a_rejected_sighting_is_in_no_report(market, tmp_path):
    alert = market.see(0, 9)
    report(market, tmp_path / "before")
    stranger = market.records.alerts.events(alert)[1].event.event_id
    reject_sighting(
        Rejection(alert, stranger), records=market.records, vault=market.vault, book=market.book,
        by=ANN, at=NOON,
    )  # fmt: skip
    page, figures = report(market, tmp_path / "after")
    assert "1 sighting" in page
    [kept, rejected] = figures["alerts"]
    assert (kept["sighting"]["subject"], rejected["sighting"]["subject"]) == ("ann", "")
    assert rejected["erased"] is True
    before = json.loads((tmp_path / "before" / "report.json").read_text())
    assert before["alerts"][1] == rejected
    assert (rejected["sighting"]["camera"], rejected["sighting"]["captured_at"]) == ("", None)


def test_an_erasure_during_the_writing_is_made_good(market, tmp_path, monkeypatch):
    """The erasing process looked for files before this report existed."""
    from openlfr.operations import report_deployment as module

    market.see(0, subject="Zacharias")
    write = module.write_report

    def write_late(summary, folder):
        market.erase()
        return write(summary, folder)

    monkeypatch.setattr(module, "write_report", write_late)
    report(market, tmp_path)
    for name in ("report.html", "report.json"):
        assert "Zacharias" not in (tmp_path / name).read_text()


def test_a_deployment_without_a_baseline_has_no_report():
    records = MemoryRecords()
    deployments.start(MARKET, deployments.Start(), records=records, by=ANN, at=NOON)
    with pytest.raises(BadInput, match=r"No baseline of the deployment 'Market' .* is recorded"):
        report_deployment("market", None, records=records, by=ANN, at=NOON)


def test_without_a_folder_no_act_is_recorded(market):
    before = market.records.audit.all()
    report_deployment("market", None, records=market.records, by=ANN, at=NOON)
    assert market.records.audit.all() == before
