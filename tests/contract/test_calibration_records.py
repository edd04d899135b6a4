"""Calibrations in every adapter of the records, and the choice of one for a start."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from tests.enrolling import add_entry
from tests.unit.domain.test_calibrations import CONDITIONS, KEY, MADE_AT, calibration, listed

from openlfr.adapters.sql import tables
from openlfr.domain.calibrations import describe_list
from openlfr.domain.errors import Misconfigured, NotAllowed
from openlfr.domain.principals import Principal, Role
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference
from openlfr.operations.calibrations import find_calibrated_threshold, record_calibration
from openlfr.operations.entries import Entries, remove, resume, suspend

SUE = Principal("https://people.example", "sue", "Sue", frozenset({Role.SUPERVISOR}))
ALL = replace(SUE, roles=frozenset(Role))


def reference(
    name: str, watchlist: str = "default", days: int = 9, category: str = "wanted"
) -> Reference:
    return Reference(
        name, watchlist, f"Person {name}", category, "Order 1", "passport", date(2025, 1, 2),
        "Eve", "Otto", MADE_AT + timedelta(days=days), EntryStatus.PENDING, name * 32,
        f"references/{name}", 70.0,
    )  # fmt: skip


def enrol(records, *names, active=True, **more):
    with records.unit_of_work() as work:
        for name in names:
            add_entry(work, reference(name, **more), picture_hash=name * 32, at=MADE_AT)
            if active:
                work.watchlist.settle([GalleryDecision(name, EntryStatus.ACTIVE, "")], MADE_AT)


def against(*names, **changes):
    hashes = [reference(name).entry_hash for name in names]
    return calibration(**describe_list(listed(*hashes), KEY), **changes)


def find(records, target=0.01, conditions=CONDITIONS):
    return find_calibrated_threshold(
        target, conditions, records=records, watchlists=["default"], key=KEY, at=MADE_AT
    )


def test_a_calibration_is_recorded_with_its_act(every_records):
    made = calibration()
    record_calibration(made, records=every_records, by=SUE)
    assert list(every_records.calibrations.list()) == [made]
    (act,) = every_records.audit.all(object_kind="calibration", object_id=made.calibration_id)
    assert (act.kind, act.by, act.at) == ("calibration.made", SUE, MADE_AT)
    assert act.detail["threshold"] == made.threshold


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.SUPERVISOR])
def test_only_a_supervisor_may_calibrate(every_records, role):
    with pytest.raises(NotAllowed, match="may not set a threshold"):
        record_calibration(
            calibration(), records=every_records, by=replace(SUE, roles=frozenset({role}))
        )
    assert list(every_records.calibrations.list()) == []


def test_the_newest_valid_calibration_is_used(every_records):
    enrol(every_records, "a1", "b1")
    old = against("a1", "b1")
    newer = replace(old, made_at=MADE_AT + timedelta(seconds=2), threshold=0.5)
    other_list = against("a1", made_at=MADE_AT + timedelta(seconds=3), threshold=0.6)
    for each in (newer, old, other_list):
        record_calibration(each, records=every_records, by=SUE)
    threshold = find(every_records)
    assert (threshold.value, threshold.calibration_id) == (0.5, newer.calibration_id)
    assert threshold.against == {reference("a1").entry_hash, reference("b1").entry_hash}


@pytest.mark.parametrize(
    ("target", "conditions", "reason"),
    [
        (0.001, CONDITIONS, "none is recorded for this target"),
        (0.02, CONDITIONS, "none is recorded for this target"),
        (0.01, replace(CONDITIONS, rules="0" * 64), "other models, rules or another version"),
        (0.01, replace(CONDITIONS, software="OpenLFR 2"), "other models, rules or another version"),
        (0.01, replace(CONDITIONS, models=()), "other models, rules or another version"),
    ],
)
def test_a_calibration_for_something_else_is_not_used(every_records, target, conditions, reason):
    enrol(every_records, "a1")
    record_calibration(against("a1"), records=every_records, by=SUE)
    with pytest.raises(Misconfigured, match=rf"{reason}: run openlfr calibrate"):
        find(every_records, target, conditions)


def test_removals_keep_the_claim_and_an_addition_forbids_it(every_records):
    enrol(every_records, "a1", "b1")
    record_calibration(against("a1", "b1"), records=every_records, by=SUE)

    def change(operation, name):
        entries = Entries(f"Person {name}", reason="a test")
        operation(entries, records=every_records, by=ALL, at=MADE_AT)

    change(suspend, "a1")
    suspended = find(every_records)
    change(resume, "a1")
    assert find(every_records) == suspended
    assert reference("a1").entry_hash in suspended.against  # it may be resumed during the run
    change(remove, "b1")
    assert find(every_records).value == suspended.value
    enrol(every_records, "x1", watchlist="other")  # not searched
    enrol(every_records, "o1", days=-1)  # expired
    enrol(every_records, "k1", category="control")
    assert reference("k1").entry_hash in find(every_records).against
    assert find(every_records).value == suspended.value
    enrol(every_records, "c1", active=False)  # the start makes it searchable
    with pytest.raises(Misconfigured, match="1 entry was added to the list since"):
        find(every_records)


_ROW = "INTO calibrations SELECT * FROM calibrations"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE calibrations SET target_fpir = 0.5",
        "DELETE FROM calibrations",
        f"INSERT {_ROW} WHERE true ON CONFLICT (calibration_id) DO UPDATE SET target_fpir = 0.5",
        f"REPLACE {_ROW}",
        (
            "REPLACE INTO calibrations (rowid, calibration_id, made_at, target_fpir, content)"
            " SELECT rowid, 'other', made_at, target_fpir, content FROM calibrations"
        ),
    ],
)
def test_a_calibration_cannot_be_changed_or_deleted(records, change):
    if "REPLACE" in change and records._engine.dialect.name == "postgresql":
        return  # it has no such statement
    record_calibration(calibration(), records=records, by=SUE)
    with (
        pytest.raises(sa.exc.DatabaseError, match="calibrations are append-only"),
        records._engine.begin() as connection,
    ):
        connection.execute(sa.text(change))
    assert list(records.calibrations.list()) == [calibration()]


@pytest.mark.parametrize("content", [{}, [], {"made_at": 5}, calibration(threshold=0.1).to_json()])
def test_an_altered_calibration_is_not_used(records, content):
    record_calibration(calibration(), records=records, by=SUE)
    with records._engine.begin() as connection:
        if records._engine.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE calibrations DISABLE TRIGGER USER"))
        else:
            connection.execute(sa.text("DROP TRIGGER calibrations_refuse_UPDATE"))
        connection.execute(sa.update(tables.calibrations).values(content=content))
    assert list(records.calibrations.list()) == []


def test_a_calibration_without_an_act_is_not_used(records):
    with records.unit_of_work() as work:
        work.calibrations.add(calibration())
    assert list(records.calibrations.list()) == []
