"""The threads that make the control topic and the vector store equal to the records."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from awaiting import PATIENCE_S
from enrolling import add_entry
from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql.records import Records
from openlfr.domain.errors import OpenLFRError, Unavailable
from openlfr.domain.templates import GalleryFacts, hash_template
from openlfr.domain.watchlist import EntryStatus, Reference
from openlfr.operations.enrol import outbox_name
from openlfr.operations.purge import DueErasures
from openlfr_alerting import leader_jobs
from openlfr_alerting.leader_jobs import LeaderJobs

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FACTS = GalleryFacts("sface", "a" * 64, 64, "arcface-112", 0.4)


class Relay:
    """A relay whose rounds are set by a test."""

    def __init__(self):
        self.is_leader = True
        self.trouble = None
        self.failed = threading.Event()
        self.compared = threading.Semaphore(0)
        self.unreadable = None

    def compare(self):
        self.compared.release()
        if self.unreadable is not None:
            raise self.unreadable

    def run_once(self):
        if self.trouble is not None:
            self.failed.set()
            raise self.trouble


class Store(MemoryTemplateStore):
    """A vector store that can be unreachable, and records its calls."""

    def __init__(self):
        super().__init__(FACTS)
        self.away = False
        self.asked, self.kept = threading.Event(), threading.Event()

    def put(self, templates):
        self.asked.set()
        if self.away:
            raise Unavailable("Milvus is away.")
        super().put(templates)
        if templates:
            self.kept.set()


@pytest.fixture
def records(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as opened:
        yield opened


@pytest.fixture
def vault():
    return MemoryVault()


@pytest.fixture
def at_work(records, vault, monkeypatch):
    """LeaderJobs at work, quick; what it failed of is kept in `failures`."""
    monkeypatch.setattr(leader_jobs, "INTERVAL_S", 0.01)
    monkeypatch.setattr(leader_jobs, "ERASE_S", 0.01)
    monkeypatch.setattr(leader_jobs, "COMPARE_S", 0.01)
    made = LeaderJobs(
        Relay(), records, vault, lambda _: made.store, lambda: made.due(),
        publish=lambda: made.publish(), on_failure=lambda e: None,
    )  # fmt: skip
    made.due = lambda: DueErasures((), (), (), ())
    made.publish = lambda: False
    made.store, made.failures, made.gave_up = Store(), [], threading.Event()
    made._on_failure = lambda error: (made.failures.append(error), made.gave_up.set())
    yield made
    made.close()


def enrol(records, vault):
    vector = np.random.default_rng(1).normal(size=FACTS.dimension)
    template = (vector / np.linalg.norm(vector)).astype(np.float32)
    entry = Reference(
        "r1", "default", "Ann", "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve", "Otto",
        NOW + timedelta(days=9), EntryStatus.PENDING, hash_template(template), "picture", 70.0,
    )  # fmt: skip
    with records.unit_of_work() as work:
        work.watchlist.bind_model(FACTS, NOW)
    sealed = vault.seal(outbox_name("r1"), template.tobytes())
    with records.unit_of_work() as work:
        add_entry(work, entry, picture_hash="r1", template=sealed, at=NOW)


def test_pending_templates_are_written_into_the_vector_store(at_work, records, vault):
    at_work.start()
    enrol(records, vault)
    assert at_work.store.kept.wait(PATIENCE_S)
    at_work.close()
    assert list(records.watchlist.manifest(["default"])) == ["r1"]


@pytest.mark.parametrize("trouble", [None, Unavailable("Away."), KeyError("detail")])
def test_entries_are_compared_with_their_enrolments_again_and_again(at_work, trouble):
    at_work._relay.unreadable = trouble
    at_work.start()
    for _ in range(3):
        assert at_work._relay.compared.acquire(timeout=PATIENCE_S)
    assert at_work.failures == []


def test_an_unavailable_vector_store_is_retried(at_work, records, vault):
    at_work.store.away = True
    enrol(records, vault)
    at_work.start()
    for _ in range(2):  # once it is asked again the first failure has been noted
        assert at_work.store.asked.wait(PATIENCE_S)
        at_work.store.asked.clear()
    assert at_work.failing_s > 0
    at_work.store.away = False
    assert at_work.store.kept.wait(PATIENCE_S)
    assert at_work.failures == []
    at_work.close()
    assert at_work.failing_s == 0


def test_a_template_without_an_entry_is_erased_at_the_next_start(at_work, records, vault):
    enrol(records, vault)
    at_work.sync_some()
    [template] = at_work.store.all(["default"])
    with records.unit_of_work() as work:
        work.watchlist.change_subject_status("Ann", None, EntryStatus.REMOVED, NOW)
    again = LeaderJobs(
        at_work._relay, records, vault, lambda _: at_work.store, at_work.due,
        publish=lambda: False, on_failure=at_work.failures.append,
    )  # fmt: skip
    at_work.store.put([template])
    again.sync_some()
    assert at_work.store.all(["default"]) == []
    again.close()


def test_no_template_is_written_while_another_process_leads(at_work, records, vault):
    enrol(records, vault)
    at_work._relay.is_leader = False
    at_work._relay.trouble = Unavailable("Redis is away.")
    at_work.start()
    assert at_work._relay.failed.wait(PATIENCE_S)
    at_work.close()
    assert not at_work.store.asked.is_set()
    assert at_work.failures == []  # not yet: it is tried again for a while


def test_a_relay_that_fails_for_good_reports_once(at_work, monkeypatch):
    monkeypatch.setattr(leader_jobs, "SILENCE_S", 0.0)
    at_work._relay.trouble = Unavailable("Redis is away.")
    at_work.start()
    assert at_work.gave_up.wait(PATIENCE_S)
    at_work.close()
    [error] = at_work.failures
    assert isinstance(error, OpenLFRError)
    assert "Redis is away" in str(error)


def test_a_bug_in_the_relay_is_reported_at_once(at_work):
    at_work._relay.trouble = fault = KeyError("reference_id")
    at_work.start()
    assert at_work.gave_up.wait(PATIENCE_S)
    at_work.close()
    assert at_work.failures == [fault]


def test_due_data_is_erased_and_counted_after_earlier_failures(at_work):
    rounds, done = [], threading.Event()

    def erase():
        rounds.append(1)
        if len(rounds) == 1:
            raise KeyError("reference_id")
        if len(rounds) == 2:
            raise Unavailable("Redis is away.")
        if len(rounds) > 3:
            done.set()
            return DueErasures((), (), (), ())
        return DueErasures((), (), ("evidence/a", "evidence/b"), ())

    at_work.due = erase
    assert dict(at_work.erased) == {"failures": 0}, "a metric that begins at its first failure"
    at_work.start()
    assert done.wait(PATIENCE_S)
    at_work.close()
    assert +at_work.erased == {"failures": 2, "orphans": 2}
    assert at_work.failures == []


def test_nothing_is_erased_while_another_process_leads(at_work):
    at_work._relay.is_leader = False
    at_work._relay.trouble = Unavailable("Redis is away.")
    asked = []
    at_work.due = lambda: asked.append(1)
    at_work.start()
    assert at_work._relay.failed.wait(PATIENCE_S)
    at_work.close()
    assert asked == []


def test_verdicts_are_published_while_this_process_leads(at_work):
    waiting, done, tried = [1, 2, 3], threading.Event(), threading.Event()

    def publish():
        if len(waiting) == 2 and not tried.is_set():
            tried.set()
            raise Unavailable("Kafka is away.")  # the next round makes up for it
        if not waiting:
            done.set()
            return False
        waiting.pop(0)
        return True

    at_work.publish = publish
    at_work._relay.is_leader = False
    at_work.start()
    assert not done.wait(0.1)
    assert len(waiting) == 3
    at_work._relay.is_leader = True
    assert done.wait(PATIENCE_S)
    assert tried.is_set()
