"""The clock is set back after an act on an alert: no earlier decision becomes possible again."""

from datetime import datetime, timedelta

import pytest
from tests.contract.test_alert_records import EVA, NOON, OP, TIMES, WINDOW, events_of, sighting

from openlfr.domain.adjudication import AlertState, Judgement
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import Conflict
from openlfr.domain.principals import SYSTEM, Principal, Role
from openlfr.operations.adjudicate import (
    AlertVersion,
    OutcomeReport,
    apply_deadlines,
    decide,
    look_again,
    record_outcome,
    settle,
    undo,
)
from openlfr.ports import Records

BEFORE = NOON - timedelta(hours=30)
ENGAGE = Judgement(Adjudication.ENGAGE)
SUE = Principal("https://people.example", "sue", "Sue", frozenset(Role))


@pytest.fixture
def decided(every_records: Records) -> AlertVersion:
    (event,) = events_of(sighting())
    every_records.alerts.record(event, None, emitted_at=NOON)
    decide(AlertVersion(event.alert_id), ENGAGE, records=every_records, by=OP, at=NOON, times=TIMES)
    return AlertVersion(event.alert_id)


@pytest.mark.parametrize("seconds_back", [1, 11, 20, 86400])
def test_a_clock_set_back_permits_no_undo(
    every_records: Records, decided: AlertVersion, seconds_back: int
) -> None:
    at = NOON - timedelta(seconds=seconds_back)
    with pytest.raises(Conflict, match=r"clock.*11:59|clock.*12:00"):
        undo(decided, records=every_records, by=OP, at=at)
    undo(decided, records=every_records, by=OP, at=NOON + timedelta(seconds=1))


def test_a_clock_set_back_behind_a_later_act_permits_no_undo(
    every_records: Records, decided: AlertVersion
) -> None:
    late = NOON + timedelta(seconds=9)
    look_again(decided, ENGAGE, records=every_records, by=EVA, at=late, times=TIMES)
    with pytest.raises(Conflict, match="clock"):
        undo(decided, records=every_records, by=OP, at=NOON + timedelta(seconds=3))


def test_acts_under_a_clock_set_back_are_not_dated_before_the_alert_s_latest_act(
    every_records: Records, decided: AlertVersion
) -> None:
    options = {"records": every_records, "times": TIMES}
    with pytest.raises(Conflict, match="can be undone until"):
        look_again(decided, ENGAGE, by=EVA, at=BEFORE, **options)
    settle(decided, ENGAGE, by=SUE, at=BEFORE, **options)
    refuted = OutcomeReport(Outcome.REFUTED)
    record_outcome(decided, refuted, by=OP, at=BEFORE, **options)
    case = every_records.alerts.case(decided.alert_id)
    assert [each.decided_at for each in case.verdicts] == [NOON, NOON]
    # A seal from the clock's time would be over already, and the pictures would be erased.
    assert (case.outcomes[0].at, case.outcomes[0].sealed_until) == (NOON, NOON + TIMES.sealed)
    acts = every_records.audit.all(object_kind="alert")
    assert {act.at for act in acts} == {NOON}


@pytest.mark.parametrize("by_deadline", [False, True])
def test_an_alert_lapses_by_the_system_before_a_late_verdict(
    every_records: Records, by_deadline: bool
) -> None:
    (event,) = events_of(sighting())
    every_records.alerts.record(event, None, emitted_at=NOON, window=WINDOW)
    at: datetime = NOON + WINDOW
    if by_deadline:
        apply_deadlines(every_records, at)
    alert = decide(
        AlertVersion(event.alert_id), ENGAGE, records=every_records, by=OP, at=at, times=TIMES
    )
    acts = [(act.kind, act.by.name, act.by.issuer) for act in every_records.audit.all()]
    assert acts == [
        ("alert.lapsed", SYSTEM.name, SYSTEM.issuer),
        ("alert.decided_late", OP.name, OP.issuer),
    ]
    assert alert.state is AlertState.DECIDED
    (verdict,) = every_records.alerts.case(event.alert_id).verdicts
    assert verdict.by.name == OP.name  # the verdict's row refers to the person's own act
