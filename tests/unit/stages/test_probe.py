"""Which faces of a track make its probe."""

from __future__ import annotations

import numpy as np
import pytest

from openlfr.stages.probe import fuse


def faces_of(person: int, count: int, *, noise: float = 0.5) -> np.ndarray:
    """Templates of one person that agree to about 1 / (1 + noise^2)."""
    rng = np.random.default_rng(person)
    own = rng.standard_normal(128)
    rows = own + noise * rng.standard_normal((count, 128))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def fused(templates, qualities):
    return fuse(templates, qualities, agree=0.3)


def test_the_faces_of_one_person_are_their_mean_weighted_by_quality():
    templates, qualities = faces_of(1, 3), [20.0, 60.0, 40.0]
    (probe,) = fused(templates, qualities)
    mean = (templates * np.array(qualities)[:, None]).sum(axis=0)
    assert probe.template == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    assert probe.template.dtype == np.float32
    assert probe.rows == (1, 2, 0)  # the best first


def test_a_poor_face_hardly_moves_the_probe():
    good, poor = faces_of(1, 2), faces_of(1, 3, noise=1.2)[2:]
    (probe,) = fused(np.concatenate([good, poor]), [70.0, 70.0, 5.0])
    (without,) = fused(good, [70.0, 70.0])
    assert probe.template @ without.template > 0.99


@pytest.mark.parametrize(
    ("people", "qualities", "probes"),
    [
        ([1], [50], [{0}]),
        ([1, 1, 1, 1], [50, 60, 40, 50], [{0, 1, 2, 3}]),
        ([1, 1, 1, 2, 2], [50] * 5, [{0, 1, 2}, {3, 4}]),
        ([2, 1, 2, 1, 1], [50] * 5, [{1, 3, 4}, {0, 2}]),
        ([1, 1, 1, 2, 2], [10, 10, 10, 90, 90], [{3, 4}, {0, 1, 2}]),
        ([1, 1, 2], [50, 50, 50], [{0, 1}]),
        ([1, 1, 2], [50, 50, 90], [{0, 1}]),
        ([1, 1, 2, 3], [50, 50, 50, 50], [{0, 1}]),
        ([1, 2], [40, 50], [{1}]),
    ],
    ids=[
        "one face", "one person", "two people", "in any order", "the heavier first",
        "a stray is left out", "a good stray too", "two strays", "of two strays the better",
    ],
)  # fmt: skip
def test_people_in_one_track_are_distinguished(people, qualities, probes):
    pools = {person: iter(faces_of(person, len(people))) for person in set(people)}
    templates = np.stack([next(pools[person]) for person in people])
    found = fused(templates, [float(q) for q in qualities])
    assert [set(probe.rows) for probe in found] == probes
    for probe in found:
        assert np.linalg.norm(probe.template) == pytest.approx(1, abs=1e-5)


def test_a_shared_track_gives_each_person_a_probe_as_good_as_alone():
    one, other = faces_of(1, 3), faces_of(2, 3)
    probes = fused(np.concatenate([one, other]), [50.0] * 6)
    for alone in (fused(one, [50.0] * 3)[0], fused(other, [50.0] * 3)[0]):
        assert max(alone.template @ probe.template for probe in probes) == pytest.approx(
            1, abs=1e-5
        )
