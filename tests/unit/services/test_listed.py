"""The snapshot holds what the manifest lists, fetches what is new alone, and lets go at once."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from openlfr.adapters.memory_templates import MemoryTemplateStore
from openlfr.domain.control import ManifestChange
from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus, GalleryFacts, StoredTemplate, hash_template
from openlfr_analysis.listed import Snapshot

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
            EntryStatus.ACTIVE, 1, LATER,
        )
        for t in templates
    }  # fmt: skip


class Store(MemoryTemplateStore):
    """A template store that notes what it is asked for, and may be away."""

    def __init__(self):
        super().__init__(FACTS)
        self.asked, self.away = [], False

    def get(self, reference_ids):
        if self.away:
            raise Unavailable("Milvus does not answer.")
        self.asked.append(sorted(reference_ids))
        return super().get(reference_ids)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def indexes():
    return []


@pytest.fixture
def snapshot(store, indexes):
    return Snapshot(store, indexes.append)


def test_only_what_is_new_is_fetched(store, snapshot, indexes):
    store.put([ANN, BEA, CAT])
    for manifest in (listed(ANN, BEA), listed(BEA), listed(BEA, CAT), {}):
        snapshot.use(manifest)
    assert store.asked == [["ann", "bea"], ["cat"]]
    assert [index.subjects for index in indexes if len(index) != 1] == [
        ("Ann", "Bea"), ("Bea", "Cat"), (),
    ]  # fmt: skip
    assert snapshot.references == 0


def test_a_removal_is_in_force_while_the_vector_store_is_away(store, snapshot, indexes):
    store.put([ANN, BEA, CAT])
    snapshot.use(listed(ANN, BEA))
    store.away = True
    with pytest.raises(Unavailable):
        snapshot.use(listed(BEA, CAT))
    assert indexes[-1].subjects == ("Bea",)
    store.away = False
    snapshot.use(listed(BEA, CAT))
    assert indexes[-1].subjects == ("Bea", "Cat")


def test_a_template_of_another_list_or_hash_is_not_searched_and_counted(store, snapshot, indexes):
    store.put([ANN, BEA, template("cat", 2, "second")])
    snapshot.use(listed(ANN, BEA, CAT, bea="another"))
    assert indexes[-1].subjects == ("Ann",)
    assert snapshot.counts["missing"] == 2


def test_a_reference_with_a_new_template_is_fetched_anew(store, snapshot, indexes):
    store.put([ANN])
    snapshot.use(listed(ANN))
    other = template("ann", 1)
    store.put([other])
    snapshot.use(listed(other))
    ((candidate,),) = indexes[-1].search(other.vector[None], [LATER])
    assert candidate.reference_id == "ann"
    assert store.asked == [["ann"], ["ann"]]
