"""Erased data remain erased, also if the alert book has lost the sighting's id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.sightings import sighting_of

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Movement
from openlfr.operations.evidence import evidence_name
from openlfr.operations.raise_alert import AlertStores, raise_alert

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=3)


class City:
    """Folds sightings of a topic, with an alert book that may be lost and durable records."""

    def __init__(self, records):
        self.records = records
        self.vault, self.book = MemoryVault(), MemoryAlertBook()
        self.published = []

    def deliver(self, second):
        seen = sighting_of(
            "street", "gate", 1, second, "ann", "default", "reference-7",
            NOON + timedelta(seconds=second), Box(10, 20, 30, 40), 0.5, 0.4, 60.0,
        )  # fmt: skip
        stores = AlertStores(self.book, self.vault, self.records.alerts, WINDOW, Movement({}, 36.0))

        def record(event):
            name = evidence_name(event.sighting.sighting_id)
            self.records.alerts.record(event, name, emitted_at=NOON, window=WINDOW)

        return raise_alert(
            seen, b"a face", stores, publish=self.published.append, record=record, call="a place"
        )

    def erase(self, event, *, as_rejected):
        """Erase the alert everywhere, as `operations.erasure` does."""
        sighting = event.sighting
        self.vault.delete(evidence_name(sighting.sighting_id))
        self.book.erase(sighting.deployment, [sighting.sighting_id])
        with self.records.unit_of_work() as work:
            if as_rejected:
                work.alerts.mark_rejected_erased([event.event_id])
            else:
                work.alerts.mark_erased(event.alert_id, [event.event_id], NOON)

    def kept(self):
        return self.vault.names("evidence/"), self.book.events("street")


@pytest.fixture
def city(every_records):
    return City(every_records)


@pytest.mark.parametrize("as_rejected", [False, True], ids=["alert", "rejected sighting"])
@pytest.mark.parametrize("book_is_lost", [False, True])
def test_a_replayed_erased_sighting_restores_nothing(city, as_rejected, book_is_lost):
    city.erase(city.deliver(0), as_rejected=as_rejected)
    if book_is_lost:
        city.book = MemoryAlertBook()
    city.published.clear()
    assert city.deliver(0) is None
    assert (*city.kept(), city.published) == ([], [], [])


def test_sightings_that_were_not_erased_are_folded_again_into_an_empty_book(city):
    """A worker killed before its acknowledgement repeats the call, and the alert is the same."""
    before = city.deliver(0)
    city.book = MemoryAlertBook()
    assert city.deliver(0) == before
    assert city.book.events("street") == [before]
