"""A threshold meets its target FPIR, or is refused if the data do not suffice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from openlfr.domain.errors import BadInput
from openlfr.operations.calibration import calibrate

REPEATS = 600


def normal(seed, people):
    return np.random.default_rng(seed).normal(0.2, 0.1, people).astype(np.float32)


@pytest.mark.parametrize(("target", "needed"), [(0.01, 368), (0.001, 3688), (1 / 6000, 22132)])
def test_the_number_of_people_required_for_a_target_is_reported(target, needed):
    assert calibrate(normal(1, needed), target).above == 0
    with pytest.raises(BadInput, match=f"At least {needed}"):
        calibrate(normal(1, needed - 1), target)


@pytest.mark.parametrize(
    ("people", "target", "above"),
    [(368, 0.01, 0), (554, 0.01, 0), (555, 0.01, 1), (1000, 0.01, 3), (2000, 0.01, 11)],
)
def test_as_many_may_reach_it_as_their_upper_limit_allows(people, target, above):
    """555: the least n for which the upper limit of one in n is at most 0.01."""
    result = calibrate(normal(2, people), target)
    assert result.above == above
    assert result.fpir.high <= target
    assert calibrate(normal(2, people), target * 1.5).value <= result.value


@pytest.mark.parametrize("people", [400, 1000, 2000])
@pytest.mark.parametrize("target", [0.01, 0.02])
def test_the_population_exceeds_the_target_in_one_calibration_of_forty(people, target):
    generator = np.random.default_rng(people)
    worse = 0
    for _ in range(REPEATS):
        value = calibrate(generator.normal(0.2, 0.1, people).astype(np.float32), target).value
        worse += norm.sf(value, 0.2, 0.1) > target
    error = 3 * np.sqrt(0.025 * 0.975 / REPEATS)
    assert worse / REPEATS <= 0.025 + error
    assert worse  # as sharp as that: a rule that never errs would be too strict


def test_equal_scores_are_all_above_or_all_below():
    scores = np.r_[np.full(30, 0.5), normal(3, 970) * 0.1].astype(np.float32)
    result = calibrate(scores, 0.01)
    assert (result.above, result.value > 0.5) == (0, True)


def test_people_who_were_never_searched_count_as_not_found():
    result = calibrate(np.full(400, -1.0, np.float32), 0.01)
    assert -1 < result.value < -0.99
    assert result.above == 0


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, float("nan")])
def test_a_target_is_a_share(target):
    with pytest.raises(BadInput, match="no target FPIR"):
        calibrate(normal(1, 400), target)


def test_a_failed_search_is_no_score():
    with pytest.raises(BadInput, match="not finite"):
        calibrate(np.r_[normal(1, 400), np.float32("nan")], 0.01)
