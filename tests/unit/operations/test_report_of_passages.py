"""The true recognition rate in page, JSON and table, and alerts about control subjects."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from tests import passages
from tests.reported import ANN, NOON, Reported
from tests.unit.operations.test_report import Page

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.operations.report.table import render_table
from openlfr.operations.report_deployment import report_deployment

MINUTE = timedelta(minutes=1)


@pytest.fixture
def market():
    market = Reported(MemoryRecords())
    market.count("gate", searched=100)
    return market


def walk(market, *subjects, found=()):
    """Plan and log a walk of each subject; some are found."""
    passages.enrol(market.records, *subjects, expires=NOON + timedelta(days=9))
    for number, subject in enumerate(subjects):
        plan = passages.plan(market.records, subject, at=NOON, deployment="market")
        begins = NOON + number * 5 * MINUTE
        if subject in found:
            entry = passages.entry_of(subject)
            market.see(number * 300 + 5, subject=subject, reference=entry)
        passages.log(market.records, plan, begins + MINUTE / 60, at=NOON + 60 * MINUTE)


def report(market, folder):
    summary = report_deployment("market", folder, records=market.records, by=ANN, at=NOON)
    [row] = csv.DictReader(io.StringIO(render_table(summary).decode(), newline=""))
    figures = json.loads((folder / "report.json").read_text())
    return Page(folder / "report.html").text, figures, row


def test_without_a_plan_it_is_not_measured(market, tmp_path):
    page, figures, row = report(market, tmp_path)
    assert "True recognition rate (TPIR): not measured. It needs passages" in page
    assert (figures["tpir"], row["tpir"], row["passages"]) == (None, "", "")


def test_the_rate_with_its_interval(market, tmp_path):
    people = [f"Person {letter}" for letter in "ABCDEFGH"]
    walk(market, *people, found=people[:6])
    page, figures, row = report(market, tmp_path)
    [rate] = figures["tpir"]["rates"]
    assert (rate["found"], rate["missed"], rate["subjects"], rate["lowest"]) == (6, 2, 8, "0.75")
    assert (
        "6 of 8 passages of 8 control subjects were recognised: 0.75 (95%: 0.321 to 0.975)" in page
    )
    assert "Cooperative subjects: an upper bound for listed people" in page
    assert (row["tpir"], row["tpir_low"]) == ("0.75", rate["interval_low"])
    assert (row["control_subjects"], row["passages"], row["passages_found"]) == ("8", "8", "6")


def test_with_few_subjects_there_is_no_rate(market, tmp_path):
    walk(market, "Person A", "Person B", found=["Person A"])
    page, figures, row = report(market, tmp_path)
    assert "1 of 2 passages of 2 control subjects was recognised; with this few subjects" in page
    assert figures["tpir"]["rates"][0]["lowest"] is None
    assert (row["tpir"], row["passages"]) == ("", "2")


def test_plans_without_a_walk_are_counted(market, tmp_path):
    passages.enrol(market.records, "Person A", expires=NOON + timedelta(days=9))
    passages.plan(market.records, "Person A", at=NOON, deployment="market")
    page, figures, _ = report(market, tmp_path)
    assert "not measured, since no planned passage can be counted" in page
    assert (figures["tpir"]["planned"], figures["tpir"]["not_logged"]) == (1, 1)


def test_alerts_about_control_subjects_are_not_false_alerts(market, tmp_path):
    walk(market, "Person A", found=["Person A"])
    page, figures, row = report(market, tmp_path)
    assert (row["total_alerts"], row["control_alerts"], row["unverified_alerts"]) == ("0", "1", "0")
    assert "1 alert about control subjects is not included" in page
    assert figures["false_alerts"][0]["silence"]["tracks"] == 100
