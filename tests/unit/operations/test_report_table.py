"""The CSV of a report: the published columns first, and nothing that is not recorded is 0."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import replace

import pytest
from tests.reported import CONDITIONS, Reported

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.operations.report.table import render_table, row_of, write_table

PUBLISHED = [
    "date", "type", "duration_hours", "cameras", "watchlist_number", "threshold", "total_alerts",
    "positive_alerts", "interventions_after_positive", "incorrect_alerts",
    "interventions_after_incorrect", "arrests_or_disposals", "faces_seen", "incorrect_alert_rate",
]  # fmt: skip


@pytest.fixture
def market():
    return Reported(MemoryRecords(), ann="wanted", bob="at_risk", cora="control", dan="special")


def row(market):
    [found] = csv.DictReader(io.StringIO(render_table(market.summary()).decode(), newline=""))
    return found


def test_the_published_columns_come_first_in_their_order(market):
    assert list(row(market))[: len(PUBLISHED)] == PUBLISHED


def test_the_row_of_a_deployment(market):
    market.count("gate", searched=99)
    market.count("yard", first=36_000, searched=99)
    for number, result in enumerate([
        (Adjudication.ENGAGE, Outcome.CONFIRMED, 4), (Adjudication.ENGAGE, Outcome.REFUTED, 6),
        (Adjudication.ENGAGE, Outcome.REFUTED), (Adjudication.DO_NOT_ENGAGE,),
    ]):  # fmt: skip
        market.decide(market.see(number, subject=f"person {number}"), *result)
    market.stop()
    found = row(market)
    expected = {
        "date": "2026-11-23", "type": "", "duration_hours": "1.00275", "cameras": "2",
        "watchlist_number": "4", "threshold": "0.45", "total_alerts": "4", "positive_alerts": "1",
        "interventions_after_positive": "1", "incorrect_alerts": "2",
        "interventions_after_incorrect": "2", "arrests_or_disposals": "", "faces_seen": "200",
        "incorrect_alert_rate": "0.01", "tpir": "", "passages": "", "unverified_alerts": "1",
        "control_alerts": "0", "searched_tracks": "198", "watched_hours": "2",
        "false_per_alert_lowest": "0.5", "false_per_alert_highest": "0.75",
        "silence_tracks": "", "unwatched_hours_no_frames": "0.0333333", "unwatched_hours_late": "0",
        "listed_wanted": "1", "listed_missing": "0", "listed_at_risk": "1", "listed_control": "1",
        "listed_special": "1", "minutes_stopped": "10", "stops_without_minutes": "1",
        "deployment_id": "market", "status": "stopped",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_what_is_not_recorded_is_empty(market):
    found = row(market)
    empty = {
        "date", "duration_hours", "incorrect_alert_rate", "type", "arrests_or_disposals", "tpir",
        "minutes_stopped", "false_per_searched_track_lowest", "false_per_watched_hour_lowest",
    }  # fmt: skip
    assert {name for name in empty if found[name]} == set()
    market.count("gate", watched_us=0, unwatched_us={})  # by a version that measured no time
    found = row(market)
    assert (found["watched_hours"], found["unwatched_hours_late"]) == ("", "")
    assert found["searched_tracks"] == "4"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_no_text_is_a_formula(market, name):
    summary = replace(market.summary(), deployment_id=name)
    assert row_of(summary)["deployment_id"] == f"'{name}"


def test_rates_of_baselines_that_may_not_be_added_up_are_empty(market):
    market.count("gate")
    assert row(market)["silence_tracks"] == "4"
    other = replace(CONDITIONS, threshold=Threshold(0.5, ThresholdOrigin.SET, 2))
    market.open_baseline(1, other)
    market.count("gate", first=100)
    found = row(market)
    assert (found["silence_tracks"], found["false_per_alert_lowest"]) == ("", "")
    assert (found["searched_tracks"], found["threshold"]) == ("8", "0.5")


def test_a_table_replaces_no_device_and_no_link(market, tmp_path):
    target, link, fifo = (tmp_path / name for name in ("target.csv", "link.csv", "fifo"))
    target.write_text("older")
    link.symlink_to(target)
    write_table(market.summary(), link)
    assert link.is_symlink()
    assert target.read_bytes() == render_table(market.summary())
    os.mkfifo(fifo)
    with pytest.raises(BadInput, match="fifo is not a regular file"):
        write_table(market.summary(), fifo)
    assert fifo.is_fifo()
