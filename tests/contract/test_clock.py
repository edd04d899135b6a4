"""A wrong clock removes nobody from the list, and a clock set back revives nobody."""

from datetime import timedelta

import pytest
from tests.contract.test_watchlist_records import ACTIVE, NOW, REMOVED, SUSPENDED, add, reference
from tests.contract.test_watchlist_records import settle as settle_entry

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import AlertShown
from openlfr.domain.errors import BadInput, NotAllowed
from openlfr.domain.principals import SYSTEM, Principal, Role, local_principal
from openlfr.operations.clock import AHEAD, confirm
from openlfr.operations.entries import Entries, suspend
from openlfr.operations.purge import erase_due

ANN = local_principal("ann", "Ann Smith")
DAY = timedelta(days=1)


@pytest.fixture
def records(every_records):
    """Records of three entries: two expire in 30 days, of which Ann suspended one, one in 90."""
    for number, subject, days in (("r1", "Ann", 30), ("r2", "Bea", 90), ("r3", "Cleo", 30)):
        entry = reference(number, subject=subject, expires=NOW + days * DAY)
        add(every_records, entry, picture_hash=number)
        settle_entry(every_records, number)
    suspend(Entries("Cleo"), records=every_records, by=ANN, at=NOW)
    return every_records


def show(records, at):
    with records.unit_of_work() as work:
        work.record(AuditEvent(at, ANN, AlertShown("a1", "x.jpg")))


def erase(records, now):
    return erase_due(
        records=records, vault=MemoryVault(), book=MemoryAlertBook(), retention=31 * DAY, now=now
    )


def statuses(records):
    return [each.status for each in records.watchlist.references()]


def test_after_an_act_dated_far_ahead_nobody_is_erased_or_searchable(records):
    show(records, NOW + 60 * DAY)
    due = erase(records, NOW)
    assert statuses(records) == [SUSPENDED, ACTIVE, SUSPENDED]
    assert (due.entries, "(1 now) are neither searched nor erased" in due.warning) == ((), True)
    assert "(alert.shown by Ann Smith) is dated 2026-06-30 12:00:00 UTC" in due.warning
    [act] = [act for act in records.audit.all() if act.by == SYSTEM and "suspend" in act.kind]
    assert act.detail["reason"] == "by the latest act it has expired, by the clock it has not"
    erase(records, NOW)
    assert len([a for a in records.audit.all() if a.kind == "reference.suspended"]) == 2


def test_after_the_clock_is_confirmed_entries_are_searchable_except_suspended_ones(records):
    show(records, NOW + 60 * DAY)
    erase(records, NOW)
    with pytest.raises(BadInput, match="Confirming the clock needs a reason"):
        confirm("  ", records=records, by=ANN, at=NOW)
    operator = Principal("https://people.example", "o", "Otto", frozenset({Role.OPERATOR}))
    with pytest.raises(NotAllowed, match="may not confirm the clock"):
        confirm("wrong clock", records=records, by=operator, at=NOW)
    ahead, again = confirm("wrong clock", records=records, by=ANN, at=NOW)
    assert (ahead.kind, [each.subject for each in again]) == ("alert.shown", ["Ann"])
    assert statuses(records) == [ACTIVE, ACTIVE, SUSPENDED]
    assert not erase(records, NOW + DAY).warning
    assert statuses(records) == [ACTIVE, ACTIVE, SUSPENDED]
    with pytest.raises(BadInput, match="No act is dated ahead of this clock"):
        confirm("again", records=records, by=ANN, at=NOW + DAY)
    erase(records, NOW + 31 * DAY)
    assert statuses(records) == [REMOVED, ACTIVE, REMOVED]


def test_a_clock_set_back_revives_nobody_and_a_corrected_clock_has_them_erased(records):
    show(records, NOW + 60 * DAY)
    erase(records, NOW)
    due = erase(records, NOW + 60 * DAY - AHEAD)  # the largest permitted difference of clocks
    assert ({each.subject for each in due.entries}, due.warning) == ({"Ann", "Cleo"}, "")
    assert statuses(records) == [REMOVED, ACTIVE, REMOVED]
