"""The audit log of every adapter of the records: acts are read unchanged and in order."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.domain.audit import AuditEvent, ClockConfirmed
from openlfr.domain.audit_alerts import AlertDecided, AlertErased, AlertShown
from openlfr.domain.audit_references import ReferenceRemoved
from openlfr.domain.principals import SYSTEM, Principal, Role

AT = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
ANN = Principal("https://people.example", "ann", "Ann", frozenset({Role.OPERATOR}))


@pytest.fixture
def records(every_records):
    return every_records


def act(at=AT, by=ANN, what=None):
    return AuditEvent(at, by, what or AlertDecided("a1", "engage", reason="zoë"))


def write(records, *events):
    with records.unit_of_work() as work:
        for event in events:
            work.record(event)


def acts(records, **conditions):
    return [(each.by.name, each.kind) for each in records.audit.all(**conditions)]


def test_acts_are_read_unchanged_in_commit_order(records):
    erased = AlertErased("a2", "retention", 3)
    write(records, act(), act(by=replace(ANN, name="Bea"), what=AlertShown("a2", "x.jpg")))
    write(records, act(by=SYSTEM, what=erased))
    first, *_, last = records.audit.all()
    assert (first.at, first.by, first.kind) == (AT, ANN, "alert.decided")
    assert (first.object_kind, first.object_id) == ("alert", "a1")
    assert first.detail == {"adjudication": "engage", "reason": "zoë"}
    assert (last.by, last.detail) == (SYSTEM, {"reason": "retention", "events": 3})
    assert [each.position for each in records.audit.all()] == [1, 2, 3]
    assert acts(records, object_kind="reference") == []
    assert acts(records, object_kind="alert", object_id="a2") == [
        ("Bea", "alert.shown"), ("system", "alert.erased"),
    ]  # fmt: skip


def test_the_latest_moment_is_that_of_any_act(records):
    assert records.audit.latest() is None
    later = ReferenceRemoved("a2", "Ann", "default")
    with records.unit_of_work() as work:
        work.record(AuditEvent(AT + timedelta(days=2), SYSTEM, later))
        work.record(AuditEvent(AT, SYSTEM, ReferenceRemoved("a1", "Ann", "default")))
    latest = records.audit.latest()
    assert (latest.at, latest.object_id, latest.by) == (AT + timedelta(days=2), "a2", SYSTEM)


def test_acts_dated_ahead_are_ignored_after_the_clock_was_confirmed(records):
    write(records, act(AT + timedelta(days=60)), act())
    confirmed = ClockConfirmed("e", "2026-06-30", "a wrong clock")
    write(records, act(AT + timedelta(hours=1), what=confirmed), act())
    latest = records.audit.latest()
    assert (latest.at, latest.kind) == (AT + timedelta(hours=1), "clock.confirmed")
    write(records, act(AT + timedelta(hours=2)))
    assert records.audit.latest().at == AT + timedelta(hours=2)


def test_the_act_of_an_undone_change_is_undone(records):
    write(records, act())

    def cut_off():
        with records.unit_of_work() as work:
            work.record(act(by=SYSTEM))
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        cut_off()
    write(records, act())
    assert [(each.position, each.by.name) for each in records.audit.all()] == [
        (1, "Ann"),
        (2, "Ann"),
    ]


def test_acts_of_threads_that_write_at_once_are_numbered_without_a_gap(records):
    def write_some():
        for _ in range(10):
            write(records, act(), act())

    threads = [threading.Thread(target=write_some) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.position for each in records.audit.all()] == list(range(1, 61))
