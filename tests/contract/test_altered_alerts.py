"""Deadlines of alerts that were altered in the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.contract.test_alert_erasure import NOON, OP, TIMES, Place

from openlfr import bootstrap
from openlfr.cli import doctor_data
from openlfr.domain.adjudication import AlertState
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, record_outcome, undo
from openlfr.settings import load


@pytest.fixture
def place(records):
    return Place(records)


def alter(place, change):
    with place.records._engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE alerts SET {change}"))


def refute(place, alert):
    report = OutcomeReport(Outcome.REFUTED)
    target = AlertVersion(alert)
    record_outcome(target, report, records=place.records, by=OP, at=NOON, times=TIMES)


@pytest.mark.parametrize("later", ["null", "'2126-11-23 12:00:00'"])
def test_an_alert_without_deadlines_is_settled_and_erased_by_its_decisions(place, later):
    alert = place.see(0)
    place.decide(alert, Adjudication.DO_NOT_ENGAGE)
    assert place.erase(NOON + TIMES.settle / 2) == {}  # the alert lapses, which writes its row
    assert not place.records.alerts.altered_alerts()
    alter(place, f"erase_at = {later}, settle_at = {later}")
    [(altered, difference)] = place.records.alerts.altered_alerts().items()
    assert altered == alert
    assert "but its decisions imply 2026-11-23 12:14:00 UTC" in difference
    assert "erase_at is" in difference
    assert "settle_at is" in difference
    assert place.erase(NOON + TIMES.settle - timedelta(seconds=1)) == {}
    assert place.erase(NOON + TIMES.settle) == {"mistaken": 1}
    assert place.kept() == (0, 0)
    assert place.records.alerts.find(alert).state is AlertState.CLOSED


def test_a_settled_alert_without_a_deadline_is_erased(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    refute(place, alert)
    assert place.erase(NOON + TIMES.settle) == {}  # the verdict is settled, which writes the row
    alter(place, "erase_at = null")
    assert place.erase(NOON + TIMES.sealed - timedelta(seconds=1)) == {}
    assert place.erase(NOON + TIMES.sealed) == {"mistaken": 1}


def test_an_earlier_deadline_does_not_end_a_seal(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    refute(place, alert)
    assert place.erase(NOON + TIMES.settle) == {}  # the verdict is settled, which writes the row
    alter(place, "erase_at = '2026-11-23 12:00:00'")
    assert list(place.records.alerts.altered_alerts()) == [alert]
    assert place.erase(NOON + TIMES.sealed / 2) == {}
    assert place.kept() == (1, 1)
    assert place.erase(NOON + TIMES.sealed) == {"mistaken": 1}


@pytest.mark.parametrize("outcome", [None, Outcome.CONFIRMED])
def test_a_deadline_that_no_decision_implies_erases_nothing_and_is_named(place, outcome):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    if outcome is not None:
        report = OutcomeReport(outcome)
        target = AlertVersion(alert)
        record_outcome(target, report, records=place.records, by=OP, at=NOON, times=TIMES)
    assert place.erase(NOON + TIMES.settle) == {}
    assert not place.records.alerts.altered_alerts()
    alter(place, "erase_at = '2026-11-23 12:00:00'")
    [(altered, difference)] = place.records.alerts.altered_alerts().items()
    assert altered == alert
    assert difference.endswith("but its decisions imply no erasure")
    alter(place, "outcome = 'refuted'")
    assert place.erase(NOON + TIMES.settle) == {}
    assert place.kept() == (1, 1)


def test_an_altered_outcome_does_not_end_a_seal(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    refute(place, alert)
    alter(place, "outcome = 'confirmed'")
    assert set(place.records.alerts.sealed_alert_ids()) == {alert}
    at = NOON + TIMES.settle
    assert not place.records.alerts.erasable_alerts(NOON + TIMES.sealed, at)  # a short retention


def test_a_withdrawn_verdict_implies_no_deadline(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.DO_NOT_ENGAGE)
    at = NOON + timedelta(seconds=1)
    undo(AlertVersion(alert), records=place.records, by=OP, at=at)
    assert not place.records.alerts.altered_alerts()
    assert place.erase(NOON + TIMES.settle) == {}
    assert place.kept() == (1, 1)


def test_doctor_names_an_alert_whose_deadlines_were_altered(tmp_path):
    (tmp_path / "CONFIG.yaml").write_text("data_dir: data\n")
    loaded = load(tmp_path / "CONFIG.yaml")
    with bootstrap.open_records(loaded) as records:
        place = Place(records)
        alert = place.see(0)
        place.decide(alert, Adjudication.DO_NOT_ENGAGE)
        alter(place, "erase_at = null")
    [finding, _] = doctor_data.check_watchlist(loaded)
    assert (finding.name, finding.state) == ("alert", "fail")
    assert f"alert {alert} was altered: erase_at is empty, but" in finding.found
