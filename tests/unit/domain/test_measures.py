"""What faces were like, as counts."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from openlfr.domain.faces import Quality
from openlfr.domain.measures import EYE_EDGES, Measures


def face(eyes=22.0, sharpness=0.55, light=1.0):
    return Quality(50, eye_distance=eyes, sharpness=sharpness, frontal=0.1, exposure=light)


@pytest.mark.parametrize(
    ("eyes", "number"), [(0, 0), (3.9, 0), (7, 2), (6.999, 1), (80, 9), (4000, 9)]
)
def test_a_pass_is_in_the_bin_of_its_best_face(eyes, number):
    counts = Measures.from_face(face(eyes)).eye_distances
    assert [counts[number], sum(counts), len(counts)] == [1, 1, len(EYE_EDGES)]


def test_the_end_bins_take_the_ends():
    both = Measures.from_face(face(sharpness=0.0, light=1.0)) + Measures.from_face(
        face(sharpness=1.0, light=0.3)
    )
    assert (both.sharpness[0], both.sharpness[9]) == (1, 1)
    assert (both.light[9], both.light[3]) == (1, 1)


def test_a_value_survives_json_and_an_empty_value_is_none():
    one = Measures.from_face(face())
    assert Measures.from_json({name: list(each) for name, each in asdict(one).items()}) == one
    assert Measures.from_json({}) == Measures()
