"""The interval of the true recognition rate, by subject."""

from __future__ import annotations

import numpy as np
import pytest

from openlfr.operations.intervals import clopper_pearson
from openlfr.operations.recognition_rate import recognition_rate


@pytest.mark.parametrize(
    ("by_subject", "low", "high"),
    [
        ([(1, 1)] * 36 + [(0, 1)] * 4, 0.763, 0.972),
        ([(8, 8)] * 4 + [(4, 8)], 0.36, 1.00),
        ([(8, 8)] + [(7, 8)] * 4, 0.69, 0.99),  # a design effect of 0.28, floored
    ],
)
def test_36_of_40_is_worth_as_much_as_there_are_people(by_subject, low, high):
    result = recognition_rate(by_subject)
    assert (result.found, result.passages, result.rate) == (36, 40, 0.9)
    assert result.interval == pytest.approx((low, high), abs=0.005)


@pytest.mark.parametrize("found", [0, 8])
def test_when_all_or_none_are_found_people_count(found):
    result = recognition_rate([(found, 8)] * 6)
    assert result.interval == clopper_pearson(6 * found / 8, 6)


def test_of_fewer_than_five_people_there_are_numbers_alone():
    result = recognition_rate([(7, 8), (8, 8), (3, 8), (8, 8), (0, 0)])
    assert (result.found, result.passages, result.subjects) == (26, 32, 4)
    assert result.interval is None


def test_without_passages_no_rate_is_measured():
    assert recognition_rate([]).rate is None
    assert recognition_rate([(0, 0)]).passages == 0


def test_no_more_can_be_found_than_walked():
    with pytest.raises(ValueError, match="more"):
        recognition_rate([(9, 8)])


@pytest.mark.parametrize(("subjects", "walks"), [(5, 8), (10, 4), (20, 5)])
def test_the_interval_contains_the_truth_although_passages_of_one_subject_are_dependent(
    subjects, walks
):
    """A rate of 0.9 that varies by subject, an intra-subject correlation of 0.3: beta-binomial."""
    repeats = 1000
    generator = np.random.default_rng(subjects)
    alpha = 0.9 * (1 / 0.3 - 1)
    held = 0
    for _ in range(repeats):
        rates = generator.beta(alpha, alpha / 9, subjects)
        interval = recognition_rate(
            [(int(n), walks) for n in generator.binomial(walks, rates)]
        ).interval
        held += interval.low <= 0.9 <= interval.high
    assert held / repeats >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / repeats)
