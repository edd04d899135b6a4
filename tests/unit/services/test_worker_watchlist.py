"""The index has what the manifest lists; only new templates are fetched; removals act at once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from awaiting import PATIENCE_S
from openlfr.adapters.faust.progress import Progress
from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.domain.control import ManifestChange
from openlfr.domain.errors import Unavailable
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template
from openlfr.domain.watchlist import EntryStatus
from openlfr.testing import ManualClock
from openlfr_analysis import metrics as service_metrics
from openlfr_analysis.watchlist_index import REFETCH_S, LocalWatchlistIndex

LATER = datetime(2199, 1, 1, tzinfo=UTC)
FACTS = GalleryFacts("sface", "a" * 64, 3, "arcface-112", 0.4)


def template(name, number, watchlist="default"):
    vector = np.eye(3, dtype=np.float32)[number]
    return StoredTemplate(name, watchlist, name.title(), hash_template(vector), vector)


ANN, BEA, CAT = template("ann", 0), template("bea", 1), template("cat", 2)


def listed(*templates, **hashes):
    return {
        t.reference_id: ManifestChange(
            t.reference_id, "default", hashes.get(t.reference_id, t.template_hash), LATER,
            EntryStatus.ACTIVE, 1, LATER, "wanted", t.entry_hash,
        )
        for t in templates
    }  # fmt: skip


class Store(MemoryTemplateStore):
    """A template store that records its requests, and can be unreachable."""

    def __init__(self):
        super().__init__(FACTS)
        self.asked, self.away = [], False

    def get(self, reference_ids):
        if self.away:
            raise Unavailable("Milvus does not answer.")
        self.asked.append(sorted(reference_ids))
        return super().get(reference_ids)


class AtOnce(Executor):
    """An executor that runs each task in the caller's thread."""

    def submit(self, work, /, *given):
        done = Future()
        try:
            done.set_result(work(*given))
        except Unavailable as error:
            done.set_exception(error)
        return done


@pytest.fixture
def clock():
    return ManualClock(0.0)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def indexes():
    return []


@pytest.fixture
def snapshot(store, indexes, clock):
    return LocalWatchlistIndex(store, indexes.append, fetcher=AtOnce(), clock=clock)


def test_only_new_templates_are_fetched(store, snapshot, indexes):
    store.put([ANN, BEA, CAT])
    for manifest in (listed(ANN, BEA), listed(BEA), listed(BEA, CAT), {}):
        assert snapshot.use(manifest)
    assert store.asked == [["ann", "bea"], ["cat"]]
    assert [index.subjects for index in indexes if len(index) != 1] == [
        ("Ann", "Bea"), ("Bea", "Cat"), (),
    ]  # fmt: skip
    assert snapshot.references == 0


@pytest.mark.parametrize(("left", "remaining"), [((BEA,), ("Bea",)), ((), ())])
def test_a_removal_is_in_force_while_the_vector_store_is_away(
    store, snapshot, indexes, clock, left, remaining
):
    store.put([ANN, BEA, CAT])
    snapshot.use(listed(ANN, BEA))
    store.away = True
    manifest = listed(*left, CAT)
    with pytest.raises(Unavailable):
        snapshot.use(manifest)
    assert indexes[-1].subjects == remaining
    store.away = False
    assert not snapshot.use(manifest)  # it was asked a moment ago
    clock.now = 1.0
    assert snapshot.use(manifest)
    assert indexes[-1].subjects == (*remaining, "Cat")


@pytest.mark.parametrize(("left", "remaining"), [((BEA,), ("Bea",)), ((), ())])
def test_a_removal_takes_effect_while_the_vector_store_does_not_answer(
    store, indexes, left, remaining
):
    store.put([ANN, BEA, CAT])
    speak = threading.Event()
    speak.set()

    class Slow:
        def get(self, reference_ids):
            assert speak.wait(PATIENCE_S)
            return store.get(reference_ids)

    fetcher = ThreadPoolExecutor(1)
    snapshot = LocalWatchlistIndex(Slow(), indexes.append, fetcher=fetcher)

    def fetched(manifest):
        snapshot.use(manifest)
        fetcher.submit(lambda: None).result(PATIENCE_S)  # behind what was under way
        return snapshot.use(manifest)

    assert fetched(listed(ANN, BEA))
    speak.clear()
    manifest = listed(*left, CAT)
    assert not snapshot.use(manifest)
    assert indexes[-1].subjects == remaining
    speak.set()
    assert fetched(manifest)
    assert indexes[-1].subjects == (*remaining, "Cat")
    snapshot.close()


def test_missing_templates_are_requested_again_until_they_come(store, snapshot, indexes, clock):
    altered = StoredTemplate("bea", "default", "Bea", BEA.template_hash, CAT.vector)
    store.put([ANN, altered])
    manifest = listed(ANN, BEA, CAT)
    assert snapshot.use(manifest)  # Ann is searched meanwhile
    assert (snapshot.references, snapshot.missing, snapshot.refused) == (1, 1, 1)
    store.put([BEA, CAT])
    assert snapshot.use(manifest)
    assert indexes[-1].subjects == ("Ann",)
    store.away = True
    clock.now = REFETCH_S
    assert snapshot.use(manifest)  # no reason to stop: nothing new is listed
    store.away = False
    clock.now = REFETCH_S + 1
    assert snapshot.use(manifest)
    assert indexes[-1].subjects == ("Ann", "Bea", "Cat")
    assert (snapshot.references, snapshot.missing, snapshot.refused) == (3, 0, 0)
    assert store.asked == [["ann", "bea", "cat"], ["bea", "cat"]]
    clock.now = 100.0
    assert snapshot.use(manifest)
    assert snapshot.counts == {"fetches": 3, "failed_fetches": 1}


def test_new_templates_do_not_wait_for_missing_ones(store, snapshot, indexes):
    store.put([BEA])
    snapshot.use(listed(ANN))
    assert snapshot.use(listed(ANN, BEA))
    assert indexes[-1].subjects == ("Bea",)


def test_a_later_last_day_is_in_force_without_a_fetch(store, snapshot, indexes):
    store.put([ANN])
    day = datetime(2030, 1, 1, tzinfo=UTC)
    snapshot.use({"ann": replace(listed(ANN)["ann"], expires=day)})
    assert indexes[-1].search(ANN.vector[None], [LATER]) == [[]]
    snapshot.use(listed(ANN))
    assert len(indexes[-1].search(ANN.vector[None], [LATER])[0]) == 1
    assert store.asked == [["ann"]]


def test_a_template_of_another_list_or_hash_is_not_searched_and_counted(store, snapshot, indexes):
    store.put([ANN, BEA, template("cat", 2, "second")])
    snapshot.use(listed(ANN, BEA, CAT, bea="another"))
    assert indexes[-1].subjects == ("Ann",)
    assert (snapshot.refused, snapshot.missing) == (2, 0)


def test_a_row_that_was_renamed_is_refused_until_it_is_mended(store, snapshot, indexes, clock):
    store.put([ANN, replace(BEA, subject="Mr Innocent")])
    snapshot.use(listed(ANN, BEA))
    assert indexes[-1].subjects == ("Ann",)
    assert (snapshot.refused, snapshot.missing) == (1, 0)
    store.put([BEA])
    clock.now = REFETCH_S
    snapshot.use(listed(ANN, BEA))
    assert indexes[-1].subjects == ("Ann", "Bea")
    assert snapshot.refused == 0


def test_a_hash_from_an_update_of_alerting_requests_the_templates_again(store, snapshot, indexes):
    store.put([replace(ANN, subject="Mr Innocent")])
    snapshot.use({"ann": replace(listed(ANN)["ann"], entry_hash="")})
    assert indexes[-1].subjects == ("Mr Innocent",)  # the version before cannot know better
    snapshot.use(listed(ANN))
    assert indexes[-1].subjects == ()
    assert snapshot.refused == 1


def test_a_reference_with_a_new_template_is_fetched_again(store, snapshot, indexes):
    store.put([ANN])
    snapshot.use(listed(ANN))
    other = template("ann", 1)
    store.put([other])
    snapshot.use(listed(other))
    ((candidate,),) = indexes[-1].search(other.vector[None], [LATER])
    assert candidate.reference_id == "ann"
    assert store.asked == [["ann"], ["ann"]]


def test_the_numbers_of_searched_and_unsearched_references_are_metrics(store, snapshot):
    store.put([ANN])
    snapshot.use(listed(ANN, BEA, CAT))
    metrics = Metrics("analysis")
    service_metrics.register(metrics, Progress(), Counter(), snapshot)
    metric_lines = metrics.text().decode().splitlines()
    for line in ("references 1.0", "missing 2.0", "refused 0.0", 'asked_total{what="fetches"} 1.0'):
        assert f"openlfr_watchlist_{line}" in metric_lines
