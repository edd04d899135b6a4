"""Concurrent acts: a hold during an erasure, and two erasures of the same alert."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.contract.test_alert_erasure import NOON, SUE, TIMES, Place

from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.alert_records import HoldKind
from openlfr.domain.alerts import Adjudication
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import SYSTEM
from openlfr.operations.holds import HoldRequest, place_hold
from openlfr.operations.purge import find_due, purge

OLD = timedelta(days=31)


class WatchedVault(MemoryVault):
    """A vault that calls a function before it erases the first picture."""

    def __init__(self):
        super().__init__()
        self.meanwhile = None

    def delete(self, name):
        """Delete a blob, as `Vault` does."""
        if (act := self.meanwhile) is not None:
            self.meanwhile = None
            act()
        super().delete(name)


class Busy(Place):
    """A place in which other processes act during an erasure."""

    def __init__(self, records):
        super().__init__(records)
        self.vault = WatchedVault()

    def hold(self, alert, at):
        wanted = HoldRequest(alert, HoldKind.COMPLAINT, at + OLD, "letter of 3 May")
        place_hold(wanted, records=self.records, by=SUE, at=at)

    def acts(self, kind):
        return [each.object_id for each in self.records.audit.all() if each.kind == kind]


@pytest.fixture
def place(every_records):
    return Busy(every_records)


@pytest.fixture(params=["not engaged", "retention"])
def due(request, place):
    """Make two alerts with a picture each; return them and the time when both are due."""
    place.see(0)
    place.see(4000)
    alerts = sorted(each.alert_id for each in place.records.alerts.list())
    if request.param == "retention":
        return alerts, NOON + OLD + timedelta(days=1)
    for alert in alerts:
        place.decide(alert, Adjudication.DO_NOT_ENGAGE)
    return alerts, NOON + TIMES.settle


def test_a_hold_accepted_before_an_erasure_began_retains_the_alert(place, due):
    alerts, at = due
    stores = {"records": place.records, "vault": place.vault, "book": place.book, "now": at}
    found = find_due(**stores, retention=OLD)  # the list that a purge shows to a person
    place.hold(alerts[0], at)
    purge(found, **stores, by=SYSTEM)
    assert place.records.alerts.find(alerts[0]).erased_at is None
    assert place.kept()[0] == 1
    place.erase(at)
    assert place.acts("alert.erased") == [alerts[1]]


def test_a_hold_is_refused_from_the_start_of_the_erasure(place, due):
    alerts, at = due
    refused = []

    def complain():
        for alert in alerts:
            try:
                place.hold(alert, at)
            except BadInput as error:
                refused.append(str(error))

    place.vault.meanwhile = complain
    place.erase(at)
    assert len(refused) == 2  # no hold is confirmed for data about to be erased
    assert all("there is nothing left to hold" in each for each in refused)
    assert place.acts("alert.hold_placed") == []
    assert sorted(place.acts("alert.erased")) == alerts
    assert place.kept()[0] == 0


def test_of_two_processes_that_erase_at_once_one_records_the_erasure(place, due):
    alerts, at = due
    place.vault.meanwhile = lambda: place.erase(at)
    place.erase(at)
    assert sorted(place.acts("alert.erased")) == alerts
    assert place.kept()[0] == 0
