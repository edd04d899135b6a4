"""The state of an alert: the list agrees with the alert's case, and each change has an act."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.sightings import sighting_of

from openlfr.domain.adjudication import AlertState, DecisionTimes, Judgement
from openlfr.domain.alerts import (
    Adjudication,
    AlertEvent,
    EventKind,
    alert_id_of,
    event_id_of,
)
from openlfr.domain.faces import Box
from openlfr.domain.principals import SYSTEM, Principal, Role
from openlfr.operations.adjudicate import AlertVersion, apply_deadlines, decide
from openlfr.operations.erasure import erase_alert
from openlfr.ports import Records

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=3)
OP = Principal("https://people.example", "op", "Op", frozenset(Role))


@pytest.fixture
def records(every_records: Records) -> Records:
    return every_records


class NothingKept:
    """An empty vault and alert book."""

    def delete(self, name: str) -> None: ...

    def erase(self, deployment: str, sighting_ids: list[str]) -> None: ...


def event_at(
    seconds: float, *, assumed: bool = False, alert_id: str = "", subject: str = "ann"
) -> AlertEvent:
    moment = NOON + timedelta(seconds=seconds)
    seen = sighting_of(
        deployment="street",
        camera="gate",
        epoch=1,
        seq=round(seconds * 10),
        subject=subject,
        watchlist="default",
        reference_id="r1",
        captured_at=moment,
        box=Box(10.5, 20, 48, 60),
        score=0.5,
        threshold=0.4,
        quality=61.3,
        time_assumed=assumed,
    )
    own = alert_id_of(seen.sighting_id)
    kind = EventKind.JOINED if alert_id else EventKind.OPENED
    return AlertEvent(kind, event_id_of(seen.sighting_id), alert_id or own, seen)


def record(records: Records, event: AlertEvent, *, at: float) -> AlertEvent:
    """Record an event that was emitted this many seconds after noon."""
    emitted_at = NOON + timedelta(seconds=at)
    assert records.alerts.record(event, None, emitted_at=emitted_at, window=WINDOW)
    return event


def kinds(records: Records, alert_id: str) -> list[str]:
    acts = records.audit.all(object_kind="alert", object_id=alert_id)
    assert {act.by.issuer for act in acts if act.kind != "alert.decided"} <= {SYSTEM.issuer}
    return [act.kind for act in acts]


def check_agreement(records: Records) -> None:
    """Check that every row agrees with its case."""
    for alert in records.alerts.list():
        case = records.alerts.case(alert.alert_id)
        assert (alert.state, alert.version, alert.settle_at, alert.closed_at) == (
            case.state, case.version, case.settle_at, case.closed_at,
        )  # fmt: skip


def test_an_alert_that_opens_late_behind_a_live_one_lapses_with_an_act(
    records: Records,
) -> None:
    """One camera's clock is fast: its alert is live when another camera's earlier alert arrives."""
    live = record(records, event_at(600), at=300)
    behind = record(records, event_at(290), at=300)
    assert records.alerts.find(live.alert_id).state is AlertState.OPEN
    late = records.alerts.find(behind.alert_id)
    assert (late.state, late.lapsed_at) == (AlertState.LAPSED, NOON + timedelta(seconds=300))
    assert kinds(records, behind.alert_id) == ["alert.lapsed"]
    check_agreement(records)
    # Nobody waits for the alert any longer, and a decision now is late.
    assert apply_deadlines(records, NOON + timedelta(seconds=500)) == []


@pytest.mark.parametrize("decided", [False, True])
def test_an_alert_that_another_one_follows_lapses_with_an_act(
    records: Records, decided: bool
) -> None:
    first = record(records, event_at(0), at=1)
    if decided:
        what = Judgement(Adjudication.ENGAGE)
        decide(
            AlertVersion(first.alert_id),
            what,
            records=records,
            by=OP,
            at=NOON,
            times=DecisionTimes(),
        )
    record(records, event_at(500), at=501)
    ended = records.alerts.find(first.alert_id)
    assert ended.lapsed_at == NOON + timedelta(seconds=501)
    assert ended.state is (AlertState.DECIDED if decided else AlertState.LAPSED)
    expected = ["alert.decided"] if decided else ["alert.lapsed"]
    assert kinds(records, first.alert_id) == expected
    check_agreement(records)


def test_an_alert_of_a_recording_stays_undecided_when_another_one_follows(records: Records) -> None:
    first = record(records, event_at(0, assumed=True), at=9000)
    record(records, event_at(500, assumed=True), at=9000)
    ended = records.alerts.find(first.alert_id)
    assert (ended.state, ended.lapsed_at) == (AlertState.OPEN, NOON + timedelta(seconds=9000))
    assert kinds(records, first.alert_id) == []
    check_agreement(records)


def test_a_reopening_by_another_sighting_is_an_act(records: Records) -> None:
    first = record(records, event_at(0), at=1)
    what = Judgement(Adjudication.CANNOT_TELL)
    decide(
        AlertVersion(first.alert_id), what, records=records, by=OP, at=NOON, times=DecisionTimes()
    )
    record(records, event_at(9, alert_id=first.alert_id), at=10)
    assert records.alerts.find(first.alert_id).state is AlertState.OPEN
    assert kinds(records, first.alert_id) == ["alert.decided", "alert.reopened"]
    check_agreement(records)


def test_an_undecided_alert_that_is_erased_lapses_with_an_act(records: Records) -> None:
    live = record(records, event_at(0), at=1)
    film = record(records, event_at(9, assumed=True, subject="bob"), at=1)
    kept = NothingKept()
    for event in (live, film):
        erase_alert(
            records.alerts.find(event.alert_id),
            records=records, vault=kept, book=kept, at=NOON + WINDOW, reason="retention",
        )  # fmt: skip
    assert kinds(records, live.alert_id) == ["alert.lapsed", "alert.erased"]
    assert kinds(records, film.alert_id) == ["alert.erased"]
    for each in records.alerts.list():
        assert (each.lapsed_at, each.erased_at) == (NOON + WINDOW, NOON + WINDOW)
    assert [each.state for each in records.alerts.list()] == [AlertState.OPEN, AlertState.LAPSED]
    check_agreement(records)
