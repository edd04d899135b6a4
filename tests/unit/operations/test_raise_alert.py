"""An alert is raised in fixed steps; steps missing after a crash are completed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.sightings import sighting_of

from book_alone import BOOK_ALONE
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Movement
from openlfr.operations.evidence import evidence_name
from openlfr.operations.raise_alert import AlertStores, raise_alert

SIGHTING = sighting_of(
    deployment="Market", camera="gate", epoch=1, seq=3, subject="ann", watchlist="default",
    reference_id="r", captured_at=datetime(2026, 5, 1, 12, tzinfo=UTC), box=Box(1, 2, 3, 4),
    score=0.5, threshold=0.4, quality=50.0,
)  # fmt: skip
NAME = evidence_name(SIGHTING.sighting_id)


class Dead(Exception):
    """The process is killed here."""


class Place:
    """Records each step, and dies before a chosen step."""

    def __init__(self):
        self.steps, self.dies, self.published, self.recorded = [], "", [], []
        self.book, self.vault = MemoryAlertBook(), MemoryVault()
        self._fold, self._put = self.book.fold, self.vault.put
        self.book.fold, self.vault.put = self.fold, self.put
        self.stores = AlertStores(
            self.book, self.vault, BOOK_ALONE, timedelta(seconds=30), Movement({}, 36.0)
        )

    def step(self, name):
        if name == self.dies:
            raise Dead
        self.steps.append(name)

    def fold(self, *args, **kwargs):
        self.step("fold")
        return self._fold(*args, **kwargs)

    def put(self, *args):
        self.step("picture")
        self._put(*args)

    def publish(self, event):
        self.step("publish")
        self.published.append(event.event_id)

    def record(self, event):
        self.step("record")
        self.recorded.append(event.event_id)

    def go(self, call="one", *, picture=b"a face"):
        return raise_alert(
            SIGHTING, picture, self.stores, publish=self.publish, record=self.record, call=call
        )


def test_the_order():
    place = Place()
    event = place.go()
    assert place.steps == ["picture", "fold", "publish", "record"]
    assert place.published == place.recorded == [event.event_id]


@pytest.mark.parametrize("before", ["picture", "fold", "publish", "record"])
def test_a_process_killed_before_any_step_completes_all_steps_when_the_call_is_repeated(before):
    place = Place()
    place.dies = before
    with pytest.raises(Dead):
        place.go()
    assert not place.book.events("Market") or NAME in place.vault.names()  # never without it
    place.dies = ""
    assert place.go() is not None
    assert set(place.published) == set(place.recorded) == {place.book.events("Market")[0].event_id}


def test_repeated_sightings_and_erased_alerts_are_not_changed():
    place = Place()
    place.go()
    place.vault.delete(NAME)
    assert place.go("another") is None
    place.book.erase("Market", [SIGHTING.sighting_id])
    assert place.go("one") is None
    assert place.vault.names() == []
    assert len(place.published) == 1


def test_a_stored_or_missing_picture_is_not_stored_again():
    for picture in (b"", None):
        place = Place()
        assert place.go(picture=picture) is not None
        assert place.steps == ["fold", "publish", "record"]
