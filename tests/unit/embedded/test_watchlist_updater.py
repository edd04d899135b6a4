"""The updater raises failures that it cannot repair, and misses no change."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from awaiting import PATIENCE_S
from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.templates import GalleryFacts
from openlfr.embedded import watchlist_updater as updater_module
from openlfr.embedded.watchlist_updater import WatchlistUpdater

FACTS = GalleryFacts("sface", "a" * 64, 64, "arcface-112", 0.4)


class Entries:
    """Records without entries whose version, outbox and errors a test sets."""

    def __init__(self):
        self.now = 1
        self.on_outbox = lambda: None
        self.error: Exception | None = None
        self.asked = threading.Event()
        self.changed_otherwise = {}

    def altered_entries(self, watchlists, *, compare_all=False):
        return dict(self.changed_otherwise)

    def references(self, **_):
        return []

    def version(self):
        self.asked.set()
        if self.error:
            raise self.error
        return self.now

    def awaiting_erasure(self):
        return []

    def outbox(self):
        self.on_outbox()
        return []

    def manifest(self, watchlists):
        return {}


@dataclass
class RecordsOfEntries:
    watchlist: Entries


@pytest.fixture
def entries():
    return Entries()


@pytest.fixture
def indexes():
    return []


@pytest.fixture
def updater(entries, indexes):
    made = WatchlistUpdater(
        records=RecordsOfEntries(entries), templates=MemoryTemplateStore(FACTS),
        vault=None, facts=FACTS, watchlists=["default"], on_index=indexes.append,
        on_problem=lambda _: None,
    )  # fmt: skip
    yield made
    made.close()


def test_an_index_is_built_at_the_start_and_after_a_change_only(updater, entries, indexes):
    for _ in range(3):
        updater.refresh()
    assert len(indexes) == 1
    entries.now += 1
    updater.refresh()
    assert len(indexes) == 2


def test_an_altered_entry_is_detected_without_a_new_version(updater, entries, indexes, monkeypatch):
    monkeypatch.setattr(updater_module, "COMPARE_S", 0.0)
    monkeypatch.setattr(updater_module, "SHARE", 0)
    updater.refresh()
    for altered in ({"r1": "expires differs from its enrolment"}, {}):
        entries.changed_otherwise = altered
        for _ in range(3):
            updater.refresh()
    assert len(indexes) == 3


def test_a_removal_is_in_force_before_the_vector_store_follows(updater, entries, indexes):
    entries.on_outbox = lambda: entries.in_force.append(len(indexes))
    entries.in_force = []
    updater.refresh()
    assert entries.in_force == [1]


def test_a_change_during_a_refresh_is_detected_at_the_next(updater, entries, indexes):
    def change():
        entries.on_outbox = lambda: None
        entries.now += 1

    entries.on_outbox = change
    updater.refresh()
    updater.refresh()
    assert len(indexes) == 2


def test_a_watchlist_that_cannot_be_read_for_too_long_ends_the_run(updater, entries, monkeypatch):
    monkeypatch.setattr(updater_module, "INTERVAL_S", 0.001)
    updater.refresh()
    updater.check()
    entries.error = Unavailable("The records are locked.")
    monkeypatch.setattr(updater_module, "SILENCE_S", 0.0)
    updater.start()
    updater._thread.join(PATIENCE_S)
    with pytest.raises(Unavailable, match=r"matching stops: The records are locked\."):
        updater.check()


@pytest.mark.parametrize(
    "fault", [RuntimeError("odd"), KeyError("reference_id"), Misconfigured("Another model.")]
)
def test_a_permanent_error_ends_the_run_at_once_under_its_own_type(
    updater, entries, monkeypatch, fault
):
    monkeypatch.setattr(updater_module, "INTERVAL_S", 0.001)
    updater.refresh()
    entries.error = fault
    updater.start()
    updater._thread.join(PATIENCE_S)
    assert not updater._thread.is_alive()
    with pytest.raises(type(fault)) as raised:
        updater.check()
    assert raised.value is fault


def test_a_short_silence_is_borne(updater, entries, monkeypatch):
    monkeypatch.setattr(updater_module, "INTERVAL_S", 0.001)
    entries.error = Unavailable("The records are locked.")
    updater.start()
    for _ in range(3):
        entries.asked.clear()
        assert entries.asked.wait(PATIENCE_S)
    updater.check()
