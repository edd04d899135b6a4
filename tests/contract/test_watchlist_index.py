"""The watchlist index in each worker and on Milvus: small lists calculated by hand, and large
ones against a plain loop."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pymilvus import MilvusClient

from openlfr.adapters.milvus.collection import COLLECTION
from openlfr.adapters.milvus.index import MilvusIndex
from openlfr.adapters.milvus.template_store import MilvusTemplateStore
from openlfr.domain.control import ManifestChange
from openlfr.domain.listing import ListState
from openlfr.domain.merkle import root_of
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template
from openlfr.domain.watchlist import EntryStatus
from openlfr.stages.search import ExactIndex

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


FACTS = GalleryFacts("test", "a" * 64, 16, "none", 0.4)


def unit(*numbers):
    vector = np.zeros(FACTS.dimension, np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def stored(reference_id, subject, vector, watchlist="default"):
    return StoredTemplate(reference_id, watchlist, subject, hash_template(vector), vector)


class Exact:
    """Builds snapshots of the templates of the given watchlists."""

    def make(self, manifest, templates):
        watchlists = {each.watchlist for each in manifest.values()}
        templates = [each for each in templates if each.watchlist in watchlists]
        return ExactIndex(manifest, templates)


class OnMilvus:
    """Builds indexes on a Milvus with these templates and those of previous calls."""

    def __init__(self, store, first=256):
        self.store, self.first = store, first

    def make(self, manifest, templates):
        self.store.put(templates)
        return MilvusIndex(self.store, manifest, first_hits=self.first)


@pytest.fixture(scope="module")
def milvus_lite(tmp_path_factory):
    store = MilvusTemplateStore(str(tmp_path_factory.mktemp("milvus") / "lite"), FACTS)
    yield store
    store.close()


@pytest.fixture(scope="module")
def milvus_server(servers):
    uri = servers.url("milvus")
    drop_collection(uri)
    store = MilvusTemplateStore(uri, FACTS)
    yield store
    store.close()
    drop_collection(uri)  # it is of a model that does not exist


def drop_collection(uri):
    client = MilvusClient(uri)
    client.drop_collection(COLLECTION)
    client.close()


SERVER = [pytest.mark.service, pytest.mark.timeout(600)]


@pytest.fixture(
    params=["exact", "lite", "lite, few rows", pytest.param("server", marks=SERVER)],
)
def maker(request):
    if request.param == "exact":
        return Exact()
    if request.param == "server":
        return OnMilvus(request.getfixturevalue("milvus_server"))
    store = request.getfixturevalue("milvus_lite")
    return OnMilvus(store, first=256 if request.param == "lite" else 4)


def listing(*templates, expires=None, control=()):
    """Return a manifest of these templates; the `control` references are control subjects."""
    expires = expires or {}
    return {
        t.reference_id: ManifestChange(
            t.reference_id, t.watchlist, t.template_hash, expires.get(t.reference_id, LATER),
            EntryStatus.ACTIVE, 1, NOW, "control" if t.reference_id in control else "wanted",
            t.entry_hash,
        )
        for t in templates
    }  # fmt: skip


@pytest.fixture
def index_of(maker):
    def make(*templates, expires=None, control=()):
        return maker.make(listing(*templates, expires=expires, control=control), templates)

    return make


ANN_FRONT = stored("a1", "Ann", unit(1, 0, 0))
ANN_SIDE = stored("a2", "Ann", unit(1, 1, 0))
BEA = stored("b1", "Bea", unit(0, 1, 0), "second")


def names(candidates):
    return [c.subject for c in candidates]


def test_a_subject_has_one_candidate_from_its_best_reference_and_their_mean(index_of):
    index = index_of(BEA, ANN_FRONT, ANN_SIDE)
    ((first, second),) = index.search(unit(0.2, 1, 0)[None], [NOW])
    assert (first.subject, first.reference_id) == ("Bea", "b1")
    assert (second.subject, second.reference_id) == ("Ann", "a2")
    probe, pooled = unit(0.2, 1, 0), ANN_FRONT.vector + ANN_SIDE.vector
    to_best, to_mean = probe @ ANN_SIDE.vector, probe @ pooled / np.linalg.norm(pooled)
    assert second.score == pytest.approx(float(to_best + to_mean) / 2)
    assert first.score == pytest.approx(float(probe @ BEA.vector))
    assert (first.watchlist, second.watchlist) == ("second", "default")
    assert len(index) == 3


def around(vector, count, *, away, seed=0):
    """Return this many subjects whose templates have this cosine similarity to a template."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        aside = random.normal(size=vector.size).astype(np.float32)
        aside -= (aside @ vector) * vector
        aside /= np.linalg.norm(aside)
        near = away * vector + np.sqrt(1 - away**2) * aside
        near = np.asarray(near / np.linalg.norm(near), np.float32)
        made.append(stored(f"other{number}", f"Other {number}", near))
    return made


@pytest.mark.parametrize(
    ("others", "away"),
    [(1, 0.0), (11, 0.3), (40, 0.0), (40, 0.5), (10, 0.94)],
    ids=["one", "a cohort", "a longer list", "many who are alike", "near-copies"],
)
def test_a_score_does_not_depend_on_who_else_is_listed(index_of, others, away):
    probe = unit(0.9, 0.1, 0)
    ((alone,),) = index_of(ANN_FRONT).search(probe[None], [NOW])
    listed = index_of(ANN_FRONT, *around(ANN_FRONT.vector, others, away=away))
    found = listed.search(probe[None], [NOW], limit=others + 1)[0]
    (among,) = (each for each in found if each.subject == "Ann")
    assert among.score == pytest.approx(alone.score, abs=1e-5)


def test_each_probe_is_searched_separately_within_the_limit(index_of):
    index = index_of(BEA, ANN_FRONT)
    probes = np.stack([unit(1, 0, 0), unit(0, 1, 0)])
    found = index.search(probes, [NOW, NOW], limit=1)
    assert [names(candidates) for candidates in found] == [["Ann"], ["Bea"]]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (LATER - timedelta(days=1), "a1"),
        (NOW, "a1"),  # valid until its expiry inclusive
        (NOW + timedelta(microseconds=1), "a2"),
    ],
)
def test_an_expired_reference_does_not_match_but_the_subjects_others_do(index_of, at, expected):
    expires = {"a1": NOW if at < LATER - timedelta(days=1) else LATER, "a2": LATER}
    index = index_of(ANN_FRONT, ANN_SIDE, expires=expires)
    ((candidate,),) = index.search(unit(1, 0, 0)[None], [at])
    assert candidate.reference_id == expected


def test_a_subject_whose_references_all_expired_is_not_listed(index_of):
    index = index_of(ANN_FRONT, ANN_SIDE, BEA, expires={"a1": NOW, "a2": NOW})
    probes = np.stack([unit(1, 0, 0), unit(1, 0, 0)])
    before, after = index.search(probes, [NOW, NOW + timedelta(seconds=1)])
    assert names(before) == ["Ann", "Bea"]
    assert names(after) == ["Bea"]


def test_only_references_of_the_manifest_are_searchable(maker):
    index = maker.make(listing(ANN_FRONT), [ANN_FRONT, BEA])
    assert names(index.search(unit(0, 1, 0)[None], [NOW])[0]) == ["Ann"]
    assert len(index) == 1


def test_a_reference_outside_the_manifest_does_not_match_though_its_template_remains(maker):
    everybody = [ANN_FRONT, ANN_SIDE, BEA]
    before = maker.make(listing(*everybody), everybody)
    after = maker.make(listing(ANN_SIDE), everybody)
    assert names(before.search(unit(1, 0, 0)[None], [NOW])[0]) == ["Ann", "Bea"]
    ((candidate,),) = after.search(unit(1, 0, 0)[None], [NOW])
    assert candidate.reference_id == "a2"
    assert candidate.score == pytest.approx(
        float(unit(1, 0, 0) @ ANN_SIDE.vector), abs=1e-6
    )  # fmt: skip


def test_a_reference_with_another_hash_than_its_vector_is_refused_and_counted(maker):
    altered = StoredTemplate("b1", "second", "Bea", BEA.template_hash, unit(1, 0, 0))
    renamed = StoredTemplate("a2", "default", "Ann", "another hash", ANN_SIDE.vector)
    index = maker.make(listing(ANN_FRONT, ANN_SIDE, BEA), [ANN_FRONT, renamed, altered])
    assert names(index.search(unit(1, 0, 0)[None], [NOW])[0]) == ["Ann"]
    if isinstance(index, ExactIndex):
        assert (len(index), index.refused, index.missing) == (1, 2, 0)
    else:
        assert index.counts["refused"] >= 2


def test_a_renamed_row_is_refused_and_counted(maker):
    """Otherwise anybody who can write to the vector store could rename everybody."""
    rows = [replace(ANN_FRONT, subject="Mr Innocent"), replace(BEA, subject="Ann"), ANN_SIDE]
    index = maker.make(listing(ANN_FRONT, ANN_SIDE, BEA), rows)
    (candidates,) = index.search(unit(1, 0.5, 0)[None], [NOW])
    assert [(c.subject, c.reference_id) for c in candidates] == [("Ann", "a2")]
    if isinstance(index, ExactIndex):
        assert index.refused_ids == ("a1", "b1")
    else:
        assert index.counts["refused"] >= 2


def test_two_people_whose_templates_were_exchanged_are_refused(maker):
    """Each row has the hash of its own vector, but not the hash of its entry."""
    ann = stored("a1", "Ann", BEA.vector)
    bea = stored("b1", "Bea", ANN_FRONT.vector, "second")
    index = maker.make(listing(ANN_FRONT, BEA), [ann, bea])
    assert index.search(unit(1, 1, 0)[None], [NOW]) == [[]]


def test_a_list_of_an_earlier_version_has_the_subjects_of_its_rows(maker):
    """Until alerting is updated too: that version did not publish the subject of a template."""
    listed = {key: replace(each, entry_hash="") for key, each in listing(ANN_FRONT).items()}
    index = maker.make(listed, [ANN_FRONT])
    assert names(index.search(unit(1, 0, 0)[None], [NOW])[0]) == ["Ann"]


def test_a_reference_moved_to_another_list_matches_only_there(maker):
    moved = StoredTemplate("b1", "third", "Bea", BEA.template_hash, BEA.vector)
    index = maker.make(listing(ANN_FRONT, BEA), [ANN_FRONT, moved])
    assert names(index.search(unit(0, 1, 0)[None], [NOW])[0]) == ["Ann"]


def test_counts_references_that_the_store_lacks():
    assert ExactIndex(listing(ANN_FRONT), []).missing == 1


def test_an_empty_list_and_an_empty_batch_yield_no_candidate(index_of):
    empty = index_of()
    assert empty.search(unit(1, 0, 0)[None], [NOW]) == [[]]
    assert len(empty) == 0
    assert index_of(BEA).search(np.empty((0, FACTS.dimension), np.float32), []) == []


def test_agrees_with_a_plain_loop_on_a_large_list(index_of):
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(600, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    templates = [stored(f"r{i}", f"s{i % 190}", v) for i, v in enumerate(vectors)]
    expires = {f"r{i}": NOW + timedelta(seconds=i % 7 - 3) for i in range(600)}
    probes = rng.normal(size=(5, 16)).astype(np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    moments = [NOW + timedelta(seconds=s) for s in (-5, -1, 0, 1, 2)]
    found = index_of(*templates, expires=expires).search(probes, moments, limit=9)
    for probe, at, candidates in zip(probes, moments, found, strict=True):
        live = {}
        for t in templates:
            if at <= expires[t.reference_id]:
                live.setdefault(t.subject, []).append(t.vector)
        score = {}
        for subject, own in live.items():
            pooled = np.sum(own, axis=0)
            to_mean = float(probe @ pooled / np.linalg.norm(pooled))
            score[subject] = (max(float(probe @ v) for v in own) + to_mean) / 2
        expected = sorted(score.items(), key=lambda item: -item[1])[:9]
        assert names(candidates) == [name for name, _ in expected]
        assert [c.score for c in candidates] == pytest.approx([s for _, s in expected], abs=1e-6)


CARL = stored("c1", "Carl", unit(1, 0.1, 0))
DORA = stored("d1", "Dora", unit(1, 0.2, 0))


def test_control_subjects_are_candidates_besides_listed_people(index_of):
    """Each side has its best candidate, also below the threshold and among many similar others."""
    index = index_of(ANN_FRONT, BEA, CARL, DORA, control=("c1", "d1"))
    found = index.search(unit(1, 0.12, 0)[None], [NOW], limit=1)[0]
    assert [(each.subject, each.is_control) for each in found] == [("Carl", True), ("Ann", False)]
    assert len(index.search(unit(1, 0.12, 0)[None], [NOW])[0]) == 4
    only = index_of(CARL, DORA, control=("c1", "d1")).search(unit(0, 1, 0)[None], [NOW], limit=1)
    assert names(only[0]) == ["Dora"]


def test_a_listed_person_who_is_a_control_subject_is_scored_separately_as_each(index_of):
    probe = unit(0.2, 1, 0)
    ((listed,),) = index_of(ANN_FRONT).search(probe[None], [NOW])
    ((test,),) = index_of(ANN_SIDE, control=("a2",)).search(probe[None], [NOW])
    both = index_of(ANN_FRONT, ANN_SIDE, control=("a2",)).search(probe[None], [NOW])[0]
    assert [(each.reference_id, each.is_control) for each in both] == [("a2", True), ("a1", False)]
    assert [each.score for each in both] == pytest.approx([test.score, listed.score], abs=1e-6)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_the_index_lists_the_searched_references_and_their_hashes(index_of, number):
    photos = [stored("s1", "ann", unit(1)), stored("s2", "ann", unit(0, 1)),
              stored("s3", "bob", unit(0, 0, 1))][:number]  # fmt: skip
    index = index_of(*photos, control=["s3"])
    found = {each.entry_hash: each for each in index.searched()}
    assert found.keys() == {each.entry_hash for each in photos}
    assert sorted(each.category for each in found.values()) == (
        ["control", "wanted", "wanted"][-number:] if number else []
    )
    for photo in photos:
        assert found[photo.entry_hash].subject in (photo.subject, None)
        assert found[photo.entry_hash].watchlist == "default"
    state = ListState.from_index(index)
    assert (state.references, state.root) == (number, root_of(found))


def test_an_entry_of_an_earlier_version_is_hashed_as_it_is_stored():
    photo = stored("s1", "ann", unit(1))
    manifest = {key: replace(each, entry_hash="") for key, each in listing(photo).items()}
    [entry] = ExactIndex(manifest, [photo]).searched()
    assert entry.entry_hash == photo.entry_hash
