"""A run does not search for an altered entry, and names it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.unit.embedded.house import NOW, House

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import AlertShown
from openlfr.domain.principals import SYSTEM
from openlfr.domain.watchlist import EntryStatus
from openlfr.embedded import eraser as eraser_module
from openlfr.embedded import watchlist_updater as updater_module


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(updater_module, "COMPARE_S", 0.0)
    monkeypatch.setattr(updater_module, "SHARE", 0)
    made = House(tmp_path)
    made.enrol("Ann", 0)
    made.enrol("Bea", 1)
    made.refresh()
    assert made.index.subjects == ("Ann", "Bea")
    yield made
    made.close()


def change(house, what, *, unchecked=False):
    """As somebody would who has the data folder."""
    with sqlite3.connect(house.folder / "openlfr.db") as connection:
        if unchecked:
            connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE watchlist_references SET {what}")
    connection.close()


ATTACKS = {
    "blanked authority": ("authorised_by = '' WHERE subject = 'Ann'", "authorised_by differs"),
    "blanked basis": ("legal_basis = '' WHERE subject = 'Ann'", "legal_basis differs"),
    "one person": ("authorised_by = enrolled_by WHERE subject = 'Ann'", "authorised_by differs"),
    "extended": ("expires = '2090-01-01' WHERE subject = 'Ann'", "expires differs"),
    "renamed": ("subject = 'Ann' WHERE subject = 'Bea'", "subject and its hash differ"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_entry_altered_during_a_run_is_named_and_no_longer_searched(house, attack):
    what, says = ATTACKS[attack]
    change(house, what, unchecked=True)
    house.refresh()
    assert len(house.index) == 1
    [problem] = house.problems
    assert f"1 reference of Ann ({says} from its enrolment). Somebody" in problem
    assert "has changed the records: find the cause, then remove these entries" in problem
    house.refresh()
    assert len(house.problems) == 1


def test_a_row_of_the_vector_store_that_was_renamed_is_no_subject(house):
    """Ann is called by another name there, and Bea as Ann: neither is anybody's."""
    ann, bea = house.templates.get(["r0", "r1"])
    house.templates.put([replace(ann, subject="Mr Innocent"), replace(bea, subject="Ann")])
    house.enrol("Cleo", 2)
    house.refresh()
    assert house.index.subjects == ("Cleo",)
    [problem] = house.problems
    assert "2 references of Ann, Bea stored as another entry than the recorded one" in problem
    assert "has changed the stored templates: find the cause" in problem


def test_two_faces_that_were_exchanged_in_the_vector_store_are_nobodys(house):
    ann, bea = house.templates.get(["r0", "r1"])
    house.templates.put(
        [
            replace(ann, template_hash=bea.template_hash, vector=bea.vector),
            replace(bea, template_hash=ann.template_hash, vector=ann.vector),
        ]
    )
    house.enrol("Cleo", 2)
    house.refresh()
    assert house.index.subjects == ("Cleo",)
    assert "2 references of Ann, Bea stored as another entry" in house.problems[0]


@pytest.mark.parametrize("when", ["the clock", "its row"])
def test_an_expired_entry_remains_expired(house, monkeypatch, when):
    """It was seen later than it expires: nothing that is set back brings it back."""
    later = NOW + timedelta(days=1, minutes=1)
    with house.records.unit_of_work() as work:
        work.record(AuditEvent(later, SYSTEM, AlertShown("a1", "x.jpg")))  # any act

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return later if when == "its row" else later - timedelta(minutes=9)

    monkeypatch.setattr(eraser_module, "datetime", Clock)
    if when == "its row":
        change(house, "expires = '2090-01-01'")
    house.eraser.erase()
    house.refresh()
    assert house.index.subjects == ()
    entries = house.records.watchlist.references()
    assert [(each.status, each.picture) for each in entries] == [(EntryStatus.REMOVED, "")] * 2
    change(house, "status = 'active', expires = '2090-01-01', settled = 1")
    house.refresh()
    assert house.index.subjects == ()
    assert "2 references of Ann, Bea (expires differs from its enrolment)" in house.problems[-1]
