"""Alerts on record: idempotent, in any order, and never without the act of who decided."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from openlfr.adapters.memory_alerts import MemoryAlertBook
from openlfr.adapters.memory_vault import MemoryVault
from openlfr.adapters.sql import Records
from openlfr.adapters.sql.tables import alerts
from openlfr.domain.alerts import (
    Adjudication,
    AlertEvent,
    EventKind,
    Outcome,
    Sighting,
    alert_id_of,
    event_id_of,
)
from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Impossible, Why
from openlfr.operations.erasure import erase_mistaken
from openlfr.operations.evidence import evidence_name

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def sighting(seconds: float = 0, *, score: float = 0.5, subject: str = "ann") -> Sighting:
    return Sighting(
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
    """One alert: the first opens it, the others join."""
    alert_id = alert_id_of(sightings[0].sighting_id)
    return [
        AlertEvent(
            EventKind.JOINED if n else EventKind.OPENED, event_id_of(s.sighting_id), alert_id, s
        )
        for n, s in enumerate(sightings)
    ]


def decide(
    records: Records,
    alert_id: str,
    adjudication: Adjudication | None = Adjudication.ENGAGE,
    outcome: Outcome | None = None,
) -> None:
    with records.unit_of_work() as work:
        work.alerts.decide(alert_id, adjudication=adjudication, outcome=outcome, by="Op", at=NOON)


def erase(records: Records, *events: AlertEvent) -> None:
    """Say that these events of one alert are erased."""
    ids = [event.event_id for event in events]
    with records.unit_of_work() as work:
        work.alerts.mark_erased(events[0].alert_id, ids, NOON)


@pytest.mark.parametrize("seed", range(5))
def test_events_may_come_in_any_order_and_twice(records: Records, seed: int) -> None:
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
    assert all(records.alerts.knows(e.event_id) for e in events)
    assert not records.alerts.knows("another")


def test_what_flags_a_sighting_is_on_record_with_it(records: Records) -> None:
    far = Impossible(Why.TOO_FAR, "Straße", 12.5, 4200)
    first, second, third = events_of(sighting(0), sighting(9), replace(sighting(12), twice=True))
    flagged = [
        first,
        replace(second, impossible=far),
        replace(third, impossible=Impossible(Why.ONE_FRAME, "gate")),
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
    assert records.alerts.find(first.alert_id).impossible == 2  # it accounts for the alert


def test_an_alert_is_found_by_the_beginning_of_its_id(records: Records) -> None:
    for n in range(40):
        (event,) = events_of(sighting(n * 100))
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


@pytest.mark.parametrize(
    ("minutes", "subject", "decided", "merged"),
    [
        (15, "ann", False, True),
        (-15, "ann", False, True),
        (15.1, "ann", False, False),
        (5, "bob", False, False),
        (5, "ann", True, False),  # a decided alert is over: this one is to be decided too
    ],
)
def test_an_alert_opened_a_second_time_is_merged_into_the_open_one(
    records: Records, minutes: float, subject: str, decided: bool, merged: bool
) -> None:
    def record(*sightings: Sighting) -> list[AlertEvent]:
        events = events_of(*sightings)
        for event in events:
            assert records.alerts.record(event, None, emitted_at=NOON, window=WINDOW)
            assert not records.alerts.record(event, None, emitted_at=NOON, window=WINDOW)
        return events

    first, _ = record(sighting(0), sighting(1))
    if decided:
        decide(records, first.alert_id)
    again = [sighting(minutes * 60 + n, score=0.9, subject=subject) for n in (0, 1)]
    second, _ = record(*again)
    found = records.alerts.find(second.alert_id)
    if merged:
        assert [each.alert_id for each in records.alerts.list()] == [first.alert_id]
        assert (found.alert_id, found.events, found.best_score) == (first.alert_id, 4, 0.9)
    else:
        assert (found.alert_id, found.events) == (second.alert_id, 2)
        assert records.alerts.find(first.alert_id).events == 2


def test_an_event_that_is_told_again_as_another_alert_leaves_no_empty_one(
    records: Records,
) -> None:
    """The alert book was lost after an event was told, and before that was acknowledged."""
    first, joined = events_of(sighting(0), sighting(1))
    for event in (first, joined):
        assert records.alerts.record(event, None, emitted_at=NOON, window=WINDOW)
    decide(records, first.alert_id)
    again, after = events_of(sighting(1), sighting(2))
    assert not records.alerts.record(again, None, emitted_at=NOON, window=WINDOW)
    assert [each.alert_id for each in records.alerts.list()] == [first.alert_id]
    assert records.alerts.record(after, None, emitted_at=NOON, window=WINDOW)
    assert records.alerts.find(after.alert_id).events == 1  # to be decided: that one was over


def test_lists_can_be_narrowed(records: Records) -> None:
    ann, bob = events_of(sighting(0)), events_of(sighting(5, subject="bob"))
    for event in ann + bob:
        records.alerts.record(event, None, emitted_at=NOON)
    decide(records, ann[0].alert_id)
    assert [a.subject for a in records.alerts.list()] == ["bob", "ann"]
    assert [a.subject for a in records.alerts.list(undecided=True)] == ["bob"]
    assert [a.subject for a in records.alerts.list(subject="ann")] == ["ann"]
    assert records.alerts.list(deployment="another") == []


def test_a_decision_stands_as_it_was_made_or_not_at_all(records: Records) -> None:
    (event,) = events_of(sighting())
    records.alerts.record(event, None, emitted_at=NOON)
    decide(records, event.alert_id)
    decide(records, event.alert_id, None, Outcome.CONFIRMED)
    alert = records.alerts.find(event.alert_id)
    assert (alert.adjudication, alert.outcome) == (Adjudication.ENGAGE, Outcome.CONFIRMED)
    assert (alert.decided_by, alert.decided_at) == ("Op", NOON)

    def cut_off() -> None:
        with records.unit_of_work() as work:
            work.alerts.decide(
                event.alert_id,
                adjudication=Adjudication.CANNOT_TELL,
                outcome=None,
                by="Op",
                at=NOON,
            )
            raise OSError("cut")

    with pytest.raises(OSError, match="cut"):
        cut_off()
    assert records.alerts.find(event.alert_id).adjudication is Adjudication.ENGAGE


@pytest.mark.parametrize(
    ("adjudication", "outcome", "mistaken"),
    [
        (None, None, False),
        (Adjudication.ENGAGE, None, False),
        (Adjudication.ENGAGE, Outcome.CONFIRMED, False),
        (Adjudication.CANNOT_TELL, None, False),
        (Adjudication.ENGAGE, Outcome.REFUTED, True),
        (Adjudication.DO_NOT_ENGAGE, None, True),
    ],
)
def test_the_mistaken_are_to_be_erased_until_nothing_is_left(
    records: Records,
    adjudication: Adjudication | None,
    outcome: Outcome | None,
    mistaken: bool,
) -> None:
    first, late = events_of(sighting(0), sighting(5))
    records.alerts.record(first, "evidence/first", emitted_at=NOON)
    if adjudication:
        decide(records, first.alert_id, adjudication, outcome)
    assert [a.alert_id for a in records.alerts.mistaken()] == [first.alert_id] * mistaken
    erase(records, first)
    assert records.alerts.mistaken() == []
    assert records.alerts.evidence_names() == set()
    (event,) = records.alerts.events(first.alert_id)
    assert event.event.sighting.box == Box(0, 0, 0, 0)
    assert records.alerts.find(first.alert_id).erased_at == NOON
    # An event that was under way is erased with the next occasion.
    records.alerts.record(late, "evidence/late", emitted_at=NOON)
    assert len(records.alerts.mistaken()) == int(mistaken)


def test_an_event_that_comes_while_its_alert_is_erased_is_erased_later(records: Records) -> None:
    first, late = events_of(sighting(0), sighting(5))
    vault = MemoryVault()

    class Book(MemoryAlertBook):
        def forget(self, *_: object) -> None:
            if not records.alerts.knows(late.event_id):
                records.alerts.record(late, keep(late), emitted_at=NOON, window=WINDOW)

    def keep(event: AlertEvent) -> str:
        name = evidence_name(event.sighting.sighting_id)
        vault.put(name, b"picture")
        return name

    records.alerts.record(first, keep(first), emitted_at=NOON, window=WINDOW)
    decide(records, first.alert_id, Adjudication.DO_NOT_ENGAGE, None)
    for kept in ([keep(late)], []):
        erase_mistaken(records=records, vault=vault, book=Book(), at=NOON)
        assert vault.names("") == kept
        assert len(records.alerts.mistaken()) == len(kept)


def test_an_alert_that_is_being_decided_takes_in_no_other(
    request: pytest.FixtureRequest, records: Records
) -> None:
    """Its operator has not seen the other one, which therefore stays to be decided."""
    first, again = (events_of(sighting(n))[0] for n in (0, 5))
    records.alerts.record(first, None, emitted_at=NOON, window=WINDOW)
    engine = sa.create_engine(request.getfixturevalue("records_url"))
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> :me")
    with ThreadPoolExecutor(1) as recorder:
        with engine.begin() as deciding:
            deciding.execute(sa.update(alerts).values(adjudication="engage"))
            recording = recorder.submit(
                records.alerts.record, again, None, emitted_at=NOON, window=WINDOW
            )
            if engine.dialect.name == "postgresql":  # SQLite lets one at a time write
                me = {"me": deciding.scalar(sa.text("SELECT pg_backend_pid()"))}
                while not recording.done() and not deciding.scalar(waiting, me):
                    pass
        assert recording.result()
    engine.dispose()
    assert records.alerts.find(again.alert_id).alert_id == again.alert_id
    assert {each.alert_id for each in records.alerts.list(undecided=True)} == {again.alert_id}


def test_age_counts_from_the_last_emission(records: Records) -> None:
    """A film of last year is not old on the day on which it is searched."""
    first, second = events_of(sighting(0), sighting(9))
    records.alerts.record(first, "evidence/first", emitted_at=NOON)
    records.alerts.record(second, "evidence/second", emitted_at=NOON + timedelta(days=9))
    assert records.alerts.older_than(NOON + timedelta(days=8)) == []
    assert len(records.alerts.older_than(NOON + timedelta(days=10))) == 1
    erase(records, first, second)
    assert records.alerts.older_than(NOON + timedelta(days=10)) == []
