"""Alerts in the records: idempotent, in any order, and every decision has its act."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from tests.sightings import sighting_of

from openlfr.domain.adjudication import (
    AlertState,
    DecisionTimes,
    Judgement,
    RecordedOutcome,
    VerdictKind,
)
from openlfr.domain.adjudication_rules import conclude
from openlfr.domain.adjudication_rules import decide as decide_case
from openlfr.domain.alert_records import RecordedAlert
from openlfr.domain.alerts import (
    Adjudication,
    AlertEvent,
    EventKind,
    Outcome,
    alert_id_of,
    event_id_of,
)
from openlfr.domain.errors import BadInput, Conflict
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.principals import Principal, Role
from openlfr.domain.sightings import Sighting
from openlfr.operations.adjudicate import (
    AlertVersion,
    OutcomeReport,
    apply_deadlines,
    record_outcome,
)
from openlfr.operations.adjudicate import decide as decide_alert
from openlfr.ports import Records

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def sighting(seconds: float = 0, *, score: float = 0.5, subject: str = "ann") -> Sighting:
    return sighting_of(
        deployment="street",
        camera="gate",
        epoch=1,
        seq=int(seconds * 10),
        subject=subject,
        watchlist="default",
        reference_id="r1",
        captured_at=NOON + timedelta(seconds=seconds),
        box=Box(10.5, 20, 48, 60),
        score=score,
        threshold=0.4,
        quality=61.3,
    )


def events_of(*sightings: Sighting) -> list[AlertEvent]:
    """Return the events of one alert: the first opens it, the others join."""
    alert_id = alert_id_of(sightings[0].sighting_id)
    return [
        AlertEvent(
            EventKind.JOINED if n else EventKind.OPENED, event_id_of(s.sighting_id), alert_id, s
        )
        for n, s in enumerate(sightings)
    ]


@pytest.fixture
def records(every_records: Records) -> Records:
    return every_records


TIMES = DecisionTimes()
LONG_AFTER = NOON + timedelta(days=2)
OP = Principal("https://people.example", "op", "Op", frozenset(Role))
EVA = Principal("https://people.example", "eva", "Eva", frozenset(Role))


def decide(
    records: Records,
    alert_id: str,
    adjudication: Adjudication = Adjudication.ENGAGE,
    *,
    at: datetime = NOON,
) -> RecordedAlert:
    what = Judgement(adjudication)
    return decide_alert(AlertVersion(alert_id), what, records=records, by=OP, at=at, times=TIMES)


def become(records: Records, alert_id: str, outcome: Outcome) -> RecordedAlert:
    became = OutcomeReport(outcome)
    return record_outcome(
        AlertVersion(alert_id), became, records=records, by=OP, at=NOON, times=TIMES
    )


def erase(records: Records, *events: AlertEvent) -> None:
    """Record that these events of one alert are erased."""
    ids = [event.event_id for event in events]
    with records.unit_of_work() as work:
        work.alerts.mark_erased(events[0].alert_id, ids, NOON)


@pytest.mark.parametrize("seed", range(5))
def test_events_are_accepted_in_any_order_and_twice(records: Records, seed: int) -> None:
    events = events_of(sighting(0, score=0.5), sighting(9, score=0.7), sighting(-3, score=0.6))
    delivered = events * 2
    random.Random(seed).shuffle(delivered)
    new = [records.alerts.record(e, "evidence/x", emitted_at=NOON) for e in delivered]
    assert sum(new) == 3
    (alert,) = records.alerts.list()
    assert alert.alert_id == events[0].alert_id
    assert (alert.events, alert.best_score, alert.threshold) == (3, 0.7, 0.4)
    assert alert.opened_at == NOON - timedelta(seconds=3)
    assert alert.last_at == NOON + timedelta(seconds=9)
    assert [e.event for e in records.alerts.events(alert.alert_id)] == [
        events[2], events[0], events[1],
    ]  # fmt: skip
    assert all(records.alerts.is_recorded(e.event_id) for e in events)
    assert not records.alerts.is_recorded("another")


def test_an_impossible_match_is_recorded_with_its_sighting(records: Records) -> None:
    far = ImpossibleMatch(ImpossibleReason.TOO_FAR, "Straße", 12.5, 4200)
    first, second, third = events_of(
        sighting(0), sighting(9), replace(sighting(12), conflicts_in_frame=True)
    )
    flagged = [
        first,
        replace(second, impossible=far),
        replace(third, impossible=ImpossibleMatch(ImpossibleReason.ONE_FRAME, "gate")),
    ]
    for event in flagged:
        records.alerts.record(event, None, emitted_at=NOON)
        records.alerts.record(replace(event, impossible=None), None, emitted_at=NOON)
    assert [e.event for e in records.alerts.events(first.alert_id)] == flagged
    (other,) = events_of(sighting(0, subject="bob"))
    records.alerts.record(other, None, emitted_at=NOON)
    known = {a.subject: a.impossible for a in records.alerts.list()}
    assert known == {"ann": 2, "bob": 0}
    assert records.alerts.find(first.alert_id).impossible == 2
    erase(records, first)
    assert records.alerts.find(first.alert_id).impossible == 2  # counts for the whole alert


def test_an_alert_is_found_by_the_beginning_of_its_id(records: Records) -> None:
    for n in range(40):
        (event,) = events_of(sighting(n * 1000))
        records.alerts.record(event, None, emitted_at=NOON)
    assert records.alerts.find(event.alert_id[:13].upper()).alert_id == event.alert_id
    with pytest.raises(BadInput, match=r"There is no alert 'nope': `openlfr alerts list`"):
        records.alerts.find("nope")
    with pytest.raises(BadInput, match="There is no alert ''"):
        records.alerts.find("")
    with pytest.raises(BadInput, match="There is no alert '%'"):
        records.alerts.find("%")
    ids = sorted(a.alert_id for a in records.alerts.list())
    shared = next(a[0] for a, b in pairwise(ids) if a[0] == b[0])
    with pytest.raises(BadInput, match=f"Several alerts begin with '{shared}'"):
        records.alerts.find(shared)


WINDOW = timedelta(minutes=15)


def record(records: Records, *sightings: Sighting, at: datetime = NOON) -> list[AlertEvent]:
    """Record one alert as the alert book folds it, each event twice."""
    events = events_of(*sightings)
    for event in events:
        assert records.alerts.record(event, None, emitted_at=at, window=WINDOW)
        assert not records.alerts.record(event, None, emitted_at=at, window=WINDOW)
    return events


@pytest.mark.parametrize("decided", [False, True])
@pytest.mark.parametrize(
    ("minutes", "subject", "merged"),
    [
        (15, "ann", True),
        (-15, "ann", True),
        (15.1, "ann", False),
        (-15.1, "ann", False),
        (5, "bob", False),
    ],
)
def test_an_alert_absorbs_one_that_the_book_opened_again_decided_or_not(
    records: Records, minutes: float, subject: str, decided: bool, merged: bool
) -> None:
    first, _ = record(records, sighting(0), sighting(1))
    if decided:
        decide(records, first.alert_id)
    times = (minutes * 60, minutes * 60 + (1 if minutes > 0 else -1))
    second, _ = record(records, *(sighting(n, score=0.9, subject=subject) for n in times))
    found = records.alerts.find(second.alert_id)
    if merged:
        assert [each.alert_id for each in records.alerts.list()] == [first.alert_id]
        assert (found.alert_id, found.events, found.best_score) == (first.alert_id, 4, 0.9)
        assert found.adjudication is (Adjudication.ENGAGE if decided else None)
    else:
        assert (found.alert_id, found.events) == (second.alert_id, 2)
        assert records.alerts.find(first.alert_id).events == 2


def taking_in(records: Records) -> set[str]:
    return {a.alert_id for a in records.alerts.list() if not (a.lapsed_at or a.closed_at)}


def test_after_an_alert_s_life_another_alert_absorbs_and_both_are_undecided(
    records: Records,
) -> None:
    """Alerts of a recording do not lapse, since nobody can decide them in time."""
    first, _ = record(records, sighting(0), sighting(800), at=LONG_AFTER)
    later, _ = record(records, sighting(1800), sighting(1801), at=LONG_AFTER)
    assert taking_in(records) == {later.alert_id}
    assert [a.state for a in records.alerts.list()] == [AlertState.OPEN] * 2
    # An alert that arrives late: its life began and ended before the first one.
    (before,) = record(records, sighting(-2000), at=LONG_AFTER)
    assert taking_in(records) == {later.alert_id}
    assert records.alerts.find(before.alert_id).events == 1
    # The book joins sightings near the late alert, so that they are not lost.
    (_, joined) = record(records, sighting(-2000.5), sighting(-1990), at=LONG_AFTER)
    assert records.alerts.is_recorded(joined.event_id)
    assert apply_deadlines(records, LONG_AFTER) == []
    decided = decide(records, first.alert_id, at=LONG_AFTER)
    (verdict,) = records.alerts.case(decided.alert_id).verdicts
    assert verdict.kind is VerdictKind.FIRST


def test_a_live_alert_lapses_at_the_end_of_its_life_and_then_a_verdict_is_late(
    records: Records,
) -> None:
    first, joined = record(records, sighting(0), sighting(100))
    end = joined.sighting.captured_at + WINDOW
    assert records.alerts.find(first.alert_id).lapse_at == end
    assert apply_deadlines(records, end - timedelta(seconds=1)) == []
    (lapsed,) = apply_deadlines(records, end)
    assert (lapsed.state, lapsed.version) == (AlertState.LAPSED, 2)
    assert [act.kind for act in records.audit.all()] == ["alert.lapsed"]
    decide(records, first.alert_id, at=end + timedelta(hours=1))
    (verdict,) = records.alerts.case(first.alert_id).verdicts
    assert (verdict.kind, verdict.adjudication) == (VerdictKind.LATE, Adjudication.ENGAGE)
    # The verdict is late also if no check for lapsed alerts has run.
    (bob,) = record(records, sighting(0, subject="bob"))
    decide(records, bob.alert_id, at=NOON + WINDOW)
    assert records.alerts.case(bob.alert_id).verdicts[0].kind is VerdictKind.LATE


@pytest.mark.parametrize("how", ["outcome", "not engaged"])
def test_a_closed_alert_absorbs_nothing(records: Records, how: str) -> None:
    first, _ = record(records, sighting(0), sighting(1))
    if how == "outcome":
        decide(records, first.alert_id)
        become(records, first.alert_id, Outcome.NOT_LOCATED)
    else:
        decide(records, first.alert_id, Adjudication.DO_NOT_ENGAGE)
        apply_deadlines(records, NOON + TIMES.settle)
    assert records.alerts.find(first.alert_id).state is AlertState.CLOSED
    joined = replace(events_of(sighting(0), sighting(9))[1])
    home = records.alerts.assign_alert(joined, WINDOW)
    assert (home.event, home.event_id) == (EventKind.OPENED, joined.event_id)
    assert home.alert_id == alert_id_of(joined.sighting.sighting_id)
    # Recorded as the book folded it, by a service without access to the records.
    assert records.alerts.record(joined, None, emitted_at=NOON, window=WINDOW)
    assert records.alerts.assign_alert(joined, WINDOW) == home
    assert records.alerts.find(first.alert_id).events == 2
    assert taking_in(records) == {home.alert_id}
    again = events_of(sighting(0), sighting(12))[1]  # the book still assigns the closed alert
    assert records.alerts.assign_alert(again, WINDOW).alert_id == home.alert_id
    assert records.alerts.assign_alert(again, WINDOW).event is EventKind.JOINED


def test_another_sighting_reopens_an_undecidable_alert(
    records: Records,
) -> None:
    (first,) = record(records, sighting(0))
    decide(records, first.alert_id, Adjudication.CANNOT_TELL)
    joined = events_of(sighting(0), sighting(9))[1]
    records.alerts.record(joined, None, emitted_at=NOON + timedelta(seconds=9), window=WINDOW)
    alert = records.alerts.find(first.alert_id)
    assert (alert.state, alert.adjudication) == (AlertState.OPEN, None)
    decide(records, first.alert_id, at=NOON + timedelta(seconds=20))
    assert len(records.alerts.case(first.alert_id).verdicts) == 2


def test_an_event_that_is_republished_with_another_alert_leaves_no_empty_alert(
    records: Records,
) -> None:
    """The alert book was lost after an event was published, and before it was acknowledged."""
    first, _ = record(records, sighting(0), sighting(1))
    decide(records, first.alert_id)
    again, after = events_of(sighting(1), sighting(2))
    assert not records.alerts.record(again, None, emitted_at=NOON, window=WINDOW)
    assert [each.alert_id for each in records.alerts.list()] == [first.alert_id]
    assert records.alerts.record(after, None, emitted_at=NOON, window=WINDOW)
    assert records.alerts.find(after.alert_id).events == 3


def test_alerts_are_listed_by_condition(records: Records) -> None:
    ann, bob = events_of(sighting(0)), events_of(sighting(5, subject="bob"))
    for event in ann + bob:
        records.alerts.record(event, None, emitted_at=NOON)
    decide(records, ann[0].alert_id)
    assert [a.subject for a in records.alerts.list()] == ["bob", "ann"]
    assert [a.subject for a in records.alerts.list(undecided=True)] == ["bob"]
    assert [a.subject for a in records.alerts.list(subject="ann")] == ["ann"]
    assert records.alerts.list(deployment="another") == []


def test_a_decision_is_recorded_as_a_whole_or_not_at_all(records: Records) -> None:
    (event,) = events_of(sighting())
    records.alerts.record(event, None, emitted_at=NOON)
    decide(records, event.alert_id)
    become(records, event.alert_id, Outcome.CONFIRMED)
    alert = records.alerts.find(event.alert_id)
    assert (alert.adjudication, alert.outcome) == (Adjudication.ENGAGE, Outcome.CONFIRMED)
    assert (alert.decided_at, alert.state) == (NOON, AlertState.CLOSED)
    case = records.alerts.case(event.alert_id)
    assert [each.by for each in (*case.verdicts, *case.outcomes)] == [OP, OP]

    def cut_off() -> None:
        with records.unit_of_work() as work:
            before = work.alerts.case(event.alert_id)
            after = conclude(before, RecordedOutcome(Outcome.REFUTED, OP, NOON))
            work.alerts.append_changes(before, after, "e")
            raise OSError("cut")

    with pytest.raises(OSError, match="cut"):
        cut_off()
    assert records.alerts.find(event.alert_id).outcome is Outcome.CONFIRMED


def test_a_stale_case_does_not_overwrite_a_newer_change(records: Records) -> None:
    (event,) = events_of(sighting())
    records.alerts.record(event, None, emitted_at=NOON)
    before = records.alerts.case(event.alert_id)
    decide(records, event.alert_id)
    after = decide_case(before, Judgement(Adjudication.CANNOT_TELL), by=EVA, at=NOON, times=TIMES)
    with (
        pytest.raises(Conflict, match=r"changed since version 1: Op decided engage.*is 2"),
        records.unit_of_work() as work,
    ):
        work.alerts.append_changes(before, after, "e")
    assert len(records.alerts.case(event.alert_id).verdicts) == 1


def test_pages_list_every_alert_once_also_when_many_have_one_timestamp(
    records: Records,
) -> None:
    for n in range(7):
        (event,) = events_of(sighting(n // 3, subject=f"subject {n}"))
        records.alerts.record(event, None, emitted_at=NOON)
    every = [alert.alert_id for alert in records.alerts.list()]
    for limit in (1, 2, 3, 7, 8):
        given, after = [], ""
        while True:
            page = records.alerts.page(limit, after)
            given += [alert.alert_id for alert in page.alerts]
            if not (after := page.after):
                break
            assert len(page.alerts) == limit
        assert given == every
    # A new alert comes before the listed ones, and does not move the next page.
    first = records.alerts.page(3)
    (event,) = events_of(sighting(50, subject="later"))
    records.alerts.record(event, None, emitted_at=NOON)
    rest = records.alerts.page(9, first.after)
    assert [alert.alert_id for alert in (*first.alerts, *rest.alerts)] == every
    assert records.alerts.page(9, subject="later").after == ""
    for wrong in ("x", "eA==", "MjAyNi0xMS0yM1QxMjowMDowMCBh"):
        with pytest.raises(BadInput, match="is not a cursor of a list of alerts"):
            records.alerts.page(3, wrong)


SETTLED, UNSEALED = NOON + TIMES.settle, NOON + TIMES.sealed


@pytest.mark.parametrize(
    ("adjudication", "outcome", "due"),
    [
        (None, None, None),
        (Adjudication.ENGAGE, None, None),
        (Adjudication.ENGAGE, Outcome.CONFIRMED, None),
        (Adjudication.CANNOT_TELL, None, None),
        (Adjudication.ENGAGE, Outcome.REFUTED, UNSEALED),
        (Adjudication.DO_NOT_ENGAGE, None, SETTLED),
        (Adjudication.DO_NOT_ENGAGE, Outcome.REFUTED, UNSEALED),  # stopped nevertheless
    ],
)
def test_a_mistaken_alert_is_due_for_erasure_from_its_final_verdict_until_nothing_is_left(
    records: Records,
    adjudication: Adjudication | None,
    outcome: Outcome | None,
    due: datetime | None,
) -> None:
    (first,) = record(records, sighting(0))
    if adjudication:
        decide(records, first.alert_id, adjudication)
    if outcome:
        become(records, first.alert_id, outcome)
    for at in (NOON, SETTLED, UNSEALED):
        apply_deadlines(records, at)
        expected = [first.alert_id] if due is not None and due <= at else []
        assert [a.alert_id for a in records.alerts.mistaken_alerts_to_erase(at)] == expected
    erase(records, first)
    assert records.alerts.mistaken_alerts_to_erase(LONG_AFTER) == []
    assert records.alerts.evidence_names() == set()
    (event,) = records.alerts.events(first.alert_id)
    assert event.event.sighting.box == Box(0, 0, 0, 0)
    assert records.alerts.find(first.alert_id).erased_at == NOON


def test_age_counts_from_the_last_emission(records: Records) -> None:
    """A film of last year is not old on the day of its analysis."""
    first, second = events_of(sighting(0), sighting(9))
    records.alerts.record(first, "evidence/first", emitted_at=NOON)
    records.alerts.record(second, "evidence/second", emitted_at=NOON + timedelta(days=9))
    assert records.alerts.erasable_alerts(NOON + timedelta(days=8), NOON) == []
    assert len(records.alerts.erasable_alerts(NOON + timedelta(days=10), NOON)) == 1
    erase(records, first, second)
    assert records.alerts.erasable_alerts(NOON + timedelta(days=10), NOON) == []
