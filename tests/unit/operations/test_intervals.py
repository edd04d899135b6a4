"""Intervals contain the truth as often as their level states, even with few errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from openlfr.operations.error_rates import Trials, Unsupported, measure
from openlfr.operations.intervals import (
    clopper_pearson,
    compute_min_trials,
    grouped,
    quantile_ranks,
)

REPEATS = 120
LEAST = 0.95 - 3 * np.sqrt(0.95 * 0.05 / REPEATS)  # less three times the simulation's own error


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [  # Clopper and Pearson's own tables, and the rule of three
        (0, 100, 0.0, 0.0362),
        (100, 100, 0.9638, 1.0),
        (2, 20, 0.0123, 0.3170),
        (5, 10, 0.1871, 0.8129),
    ],
)
def test_a_share_of_independent_trials(hits, trials, low, high):
    assert clopper_pearson(hits, trials) == pytest.approx((low, high), abs=1e-4)


def test_without_trials_there_is_no_estimate():
    nothing = np.array([], np.int64)
    assert clopper_pearson(0, 0) == grouped(nothing, nothing) == (0.0, 1.0)


def test_a_quantile_has_an_upper_bound_from_the_stated_number_of_trials():
    for share in (0.1, 0.01, 0.001):
        needed = compute_min_trials(share)
        assert quantile_ranks(needed, share).above == 1
        assert quantile_ranks(needed - 1, share).above == 0
    assert compute_min_trials(0.001) == 3688


def test_trials_of_one_person_count_for_less_the_more_they_hang_together():
    trials = np.full(100, 10)
    apart = grouped(np.full(100, 9), trials)
    together = grouped(np.where(np.arange(100) < 90, 10, 0), trials)
    assert apart.low < 0.9 < apart.high
    assert together.high - together.low > 2.5 * (apart.high - apart.low)
    # As wide as if each person had been looked for once.
    assert together == pytest.approx(clopper_pearson(90, 100), abs=0.01)


def test_when_everybody_is_found_people_count_and_not_photos():
    found = grouped(np.full(40, 25), np.full(40, 25))
    assert found.high == 1.0
    assert found.low == pytest.approx(clopper_pearson(40, 40).low, abs=0.02)


def draw(generator, strangers):
    """An experiment of known law: photos of one person are alike in how well they are found."""
    sizes = np.minimum(generator.geometric(0.25, 150), 40)
    owners = np.repeat(np.arange(150), sizes)
    scores = generator.normal(0.65, 0.08, 150)[owners] + generator.normal(0, 0.08, len(owners))
    return Trials(
        owners=owners,
        correct=generator.random(len(owners)) < 0.99,
        mated_scores=scores.astype(np.float32),
        nonmated_scores=generator.normal(0.2, 0.1, strangers).astype(np.float32),
    )


@pytest.mark.parametrize("strangers", [200, 500, 1000, 2000])
def test_each_interval_contains_the_truth_as_often_as_its_level_states(strangers):
    generator = np.random.default_rng(strangers)
    held = {name: [] for name in ("rank1", "threshold", "tpir", "tpir_here", "fpir")}
    for _ in range(REPEATS):
        rank1, points = measure(draw(generator, strangers), (0.1, 0.01, 0.001))
        held["rank1"].append(rank1.low <= 0.99 <= rank1.high)
        for fpir, point in points.items():
            if isinstance(point, Unsupported):
                assert strangers * fpir < 1
                continue
            true = norm.isf(fpir, 0.2, 0.1)
            above = point.threshold_high is None or true <= point.threshold_high
            held["threshold"].append(above and (point.threshold_low or -1) <= true)
            held["tpir"].append(point.low <= tpir_at(true) <= point.high)
            here = point.tpir_here
            held["tpir_here"].append(here.low <= tpir_at(point.threshold) <= here.high)
            false = norm.sf(point.threshold, 0.2, 0.1)
            held["fpir"].append(point.fpir.low <= false <= point.fpir.high)
    covered = {name: float(np.mean(each)) for name, each in held.items()}
    assert min(covered.values()) >= LEAST, covered


def tpir_at(threshold):
    return 0.99 * norm.sf(threshold, 0.65, np.hypot(0.08, 0.08))
