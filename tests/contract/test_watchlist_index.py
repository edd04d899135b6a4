"""The watchlist index: small lists worked out by hand, and a large one against a plain loop."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from openlfr.domain.watchlist import StoredTemplate, hash_template
from openlfr.stages.cohort import COHORT, TYPICAL, WEIGHT
from openlfr.stages.search import ExactIndex

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def unit(*numbers):
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


def stored(reference_id, subject, vector, watchlist="default"):
    return StoredTemplate(reference_id, watchlist, subject, hash_template(vector), vector)


def index_of(*templates, expires=None):
    expires = expires or {}
    manifest = {
        t.reference_id: (t.template_hash, expires.get(t.reference_id, LATER)) for t in templates
    }
    return ExactIndex(manifest, templates)


ANN_FRONT = stored("a1", "Ann", unit(1, 0, 0))
ANN_SIDE = stored("a2", "Ann", unit(1, 1, 0))
BEA = stored("b1", "Bea", unit(0, 1, 0), "second")


def names(candidates):
    return [c.subject for c in candidates]


def test_one_candidate_a_subject_between_its_best_reference_and_their_mean():
    index = index_of(BEA, ANN_FRONT, ANN_SIDE)
    ((first, second),) = index.search(unit(0.2, 1, 0)[None], [NOW])
    assert (first.subject, first.reference_id) == ("Bea", "b1")
    assert (second.subject, second.reference_id) == ("Ann", "a2")
    probe, pooled = unit(0.2, 1, 0), ANN_FRONT.vector + ANN_SIDE.vector
    to_best, to_mean = probe @ ANN_SIDE.vector, probe @ pooled / np.linalg.norm(pooled)
    similarity, others = float(to_best + to_mean) / 2, float(probe @ BEA.vector)
    cohort = (others + 9 * TYPICAL) / COHORT  # the other nine count as typical
    assert second.score == pytest.approx(similarity - WEIGHT * (cohort - TYPICAL))
    assert index.watchlist_of("b1") == "second"
    assert len(index) == 3


def test_answers_each_probe_by_itself_and_keeps_to_the_limit():
    index = index_of(BEA, ANN_FRONT)
    probes = np.stack([unit(1, 0, 0), unit(0, 1, 0)])
    found = index.search(probes, [NOW, NOW], limit=1)
    assert [names(candidates) for candidates in found] == [["Ann"], ["Bea"]]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (LATER - timedelta(days=1), "a1"),
        (NOW, "a1"),  # its last moment still counts
        (NOW + timedelta(microseconds=1), "a2"),
    ],
)
def test_an_expired_reference_does_not_answer_but_the_subjects_others_do(at, expected):
    expires = {"a1": NOW if at < LATER - timedelta(days=1) else LATER, "a2": LATER}
    index = index_of(ANN_FRONT, ANN_SIDE, expires=expires)
    ((candidate,),) = index.search(unit(1, 0, 0)[None], [at])
    assert candidate.reference_id == expected


def test_a_subject_whose_references_all_expired_is_not_listed():
    index = index_of(ANN_FRONT, ANN_SIDE, BEA, expires={"a1": NOW, "a2": NOW})
    probes = np.stack([unit(1, 0, 0), unit(1, 0, 0)])
    before, after = index.search(probes, [NOW, NOW + timedelta(seconds=1)])
    assert names(before) == ["Ann", "Bea"]
    assert names(after) == ["Bea"]


def test_only_references_of_the_manifest_are_searchable():
    index = ExactIndex({"a1": (ANN_FRONT.template_hash, LATER)}, [ANN_FRONT, BEA])
    assert names(index.search(unit(0, 1, 0)[None], [NOW])[0]) == ["Ann"]
    assert (len(index), index.refused, index.missing) == (1, 0, 0)


def test_a_reference_whose_vector_does_not_carry_its_hash_is_refused_and_counted():
    altered = StoredTemplate("b1", "default", "Bea", BEA.template_hash, unit(1, 0, 0))
    renamed = StoredTemplate("a2", "default", "Ann", "another hash", ANN_SIDE.vector)
    manifest = {t.reference_id: (t.template_hash, LATER) for t in (ANN_FRONT, ANN_SIDE, BEA)}
    index = ExactIndex(manifest, [ANN_FRONT, renamed, altered])
    assert names(index.search(unit(1, 0, 0)[None], [NOW])[0]) == ["Ann"]
    assert (len(index), index.refused, index.missing) == (1, 2, 0)


def test_counts_references_that_the_store_lacks():
    assert ExactIndex({"gone": ("hash", LATER)}, []).missing == 1


def test_an_empty_list_answers_nothing_and_no_probe_asks_nothing():
    empty = ExactIndex({}, [])
    assert empty.search(unit(1, 0, 0)[None], [NOW]) == [[]]
    assert len(empty) == 0
    assert index_of(BEA).search(np.empty((0, 3), np.float32), []) == []


def test_agrees_with_a_plain_loop_on_a_large_list():
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
        ranked = sorted(score.items(), key=lambda item: -item[1])
        expected = []
        for place, (subject, similarity) in enumerate(ranked[:9]):
            others = [s for p, (_, s) in enumerate(ranked) if p != place][:COHORT]
            expected.append((subject, similarity - WEIGHT * (np.mean(others) - TYPICAL)))
        assert names(candidates) == [name for name, _ in expected]
        assert [c.score for c in candidates] == pytest.approx([s for _, s in expected], abs=1e-6)
