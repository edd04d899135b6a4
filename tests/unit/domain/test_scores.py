"""Scores by coarse and fine bins."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openlfr.domain.scores import FINE_STEP, count_reached, fine_bin, score_bin, to_coarse_bins


@pytest.mark.parametrize(
    ("score", "number"),
    [(0.0, 0), (0.41, 164), (0.4099, 163), (-0.0001, -1), (-0.2, -80), (1.7, 400), (-2.0, -400)],
)
def test_a_score_is_in_the_bin_above_its_border(score, number):
    assert fine_bin(score) == number


@given(st.lists(st.floats(-1.2, 1.2), max_size=20))
@example([-3.606954946458695e-12])  # nearly on a border: once in one bin here, in another there
def test_fine_bins_add_up_to_the_coarse_ones(scores):
    fine, expected = {}, [0] * 60
    for score in scores:
        fine[fine_bin(score)] = fine.get(fine_bin(score), 0) + 1
        expected[score_bin(score)] += 1
    assert to_coarse_bins(fine) == tuple(expected)


MILLIONTHS = st.integers(-(10**6), 10**6).map(lambda number: number / 10**6)


@given(st.lists(MILLIONTHS, max_size=20), st.integers(-300, 300))
def test_scores_at_a_threshold_on_a_bin_border_are_all_counted(scores, border):
    threshold = border * FINE_STEP
    fine = {}
    for score in scores:
        fine[fine_bin(score)] = fine.get(fine_bin(score), 0) + 1
    assert count_reached(fine, threshold) == sum(score >= threshold - 1e-9 for score in scores)
