"""Identification rates on experiments that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from openlfr.operations.error_rates import Trials, measure

LOST = -np.inf


def trials(owners, correct, mated, nonmated):
    return Trials(
        np.array(owners),
        np.array(correct, bool),
        np.array(mated, np.float32),
        np.array(nonmated, np.float32),
    )


FOUR = ([0, 1, 2, 3], [1, 1, 1, 0], [0.9, 0.7, 0.5, 0.8])
TEN = [0.6, 0.55, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1]


@pytest.mark.parametrize(
    ("fpir", "tpir", "just_above", "false_positives"),
    [
        (0.1, 2 / 4, 0.55, 1),  # one of ten may pass: the threshold is above the second
        (0.15, 2 / 4, 0.55, 1),  # FPIR must not be above the target
        (0.2, 3 / 4, 0.45, 2),
        (0.3, 3 / 4, 0.4, 3),
    ],
)
def test_tpir_is_at_the_smallest_threshold_that_meets_fpir(fpir, tpir, just_above, false_positives):
    rank1, points = measure(trials(*FOUR, TEN), [fpir])
    point = points[fpir]
    assert rank1.value == 3 / 4
    assert point.tpir == tpir
    assert point.false_positives == false_positives
    assert np.float32(just_above) < point.threshold < just_above + 1e-6
    assert sum(score >= point.threshold for score in TEN) == false_positives
    assert point.low <= point.tpir <= point.high


def test_failures_are_misses_and_no_false_alarms():
    given = trials([0, 0, 1], [1, 0, 0], [0.9, LOST, LOST], [LOST, 0.5, LOST, LOST])
    rank1, points = measure(given, [0.25])
    assert rank1.value == pytest.approx(1 / 3)
    assert points[0.25].tpir == pytest.approx(1 / 3)
    assert points[0.25].false_positives == 1
    assert np.isfinite(points[0.25].threshold)


def test_without_strangers_there_is_only_a_rank():
    rank1, points = measure(trials(*FOUR, []), [0.1, 0.01])
    assert rank1.value == 3 / 4
    assert points == {}


def test_a_rate_of_one_is_not_certain():
    rank1, points = measure(trials([0, 1], [1, 1], [0.9, 0.8], [0.1, 0.2]), [0.5])
    # Two people found of two: anything from 0.158 is possible (Clopper and Pearson, 1934).
    assert (rank1.value, rank1.high) == (1, 1)
    assert rank1.low == pytest.approx(0.1581, abs=1e-4)
    assert points[0.5].tpir == 1


def test_the_interval_is_that_of_people_and_not_of_photos():
    """40 people with ten photos each, all found or all lost: 400 photos say no more than 40."""
    random = np.random.default_rng(5)
    found = random.random(40) < 0.7
    together = trials(np.repeat(np.arange(40), 10), np.repeat(found, 10), np.full(400, 0.9), [0.1])
    alone = trials(np.arange(400), np.repeat(found, 10), np.full(400, 0.9), [0.1])
    wide, narrow = (measure(given, [])[0] for given in (together, alone))
    assert wide.value == narrow.value
    # The standard error of a share p of n is sqrt(p(1-p)/n); 95% lie within 1.96 of them.
    spread = 2 * 1.96 * np.sqrt(wide.value * (1 - wide.value) / 40)
    assert wide.high - wide.low == pytest.approx(spread, rel=0.15)
    assert narrow.high - narrow.low == pytest.approx(spread / np.sqrt(10), rel=0.15)


def test_the_interval_includes_the_uncertainty_of_the_threshold():
    """One stranger in a hundred scores high: draws without them find a lower threshold."""
    strangers = [0.8, *np.linspace(0.1, 0.3, 99)]
    given = trials(np.arange(50), np.ones(50), np.linspace(0.4, 0.95, 50), strangers)
    point = measure(given, [0.01])[1][0.01]
    assert point.threshold < 0.31  # one of a hundred is above it
    assert point.threshold_high is None  # though none of a hundred more might be
    assert (point.tpir, point.low) == (1, 0)


def test_too_few_strangers_give_no_estimate_of_rare_false_alerts():
    given = trials(np.arange(50), np.ones(50), np.linspace(0.4, 0.95, 50), np.linspace(0, 0.3, 50))
    point = measure(given, [0.001])[1][0.001]
    assert "50 strangers are too few for FPIR 0.001" in point.reason
    assert point.as_json()["tpir"] is None
