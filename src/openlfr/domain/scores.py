"""Histograms of scores: coarse ones for the eye, fine ones for the tail, where errors are counted.

A rate of false alerts is read where the strangers' scores end, and there it falls by a factor of
four from one coarse bin to the next. So each score is also counted in bins of 0.0025, of which only
those with a count are kept. A threshold that is a multiple of 0.0025 parts them cleanly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORE_LOW, SCORE_STEP, SCORE_BINS = -0.2, 0.02, 60
#: Borders of the coarse bins, -0.20 to 1.00 in steps of 0.02 (one more than the bins).
SCORE_EDGES = tuple(round(SCORE_LOW + SCORE_STEP * i, 2) for i in range(SCORE_BINS + 1))

FINE_STEP = 0.0025
"""Width of a fine bin; bin n holds the scores from n times this on."""
FINE_LEAST, FINE_MOST = -400, 400
"""The end bins, of scores of -1 and 1; what lies outside goes into them."""
_GUARD = 1e-9  # a score on a border, as floating point has it, is above it
_FINE_IN_COARSE = 8


def score_bin(score: float) -> int:
    """The coarse bin of a score; what lies outside the edges goes into the end bins."""
    return _coarse_of(fine_bin(score))


def fine_bin(score: float) -> int:
    """The fine bin of a score."""
    return min(max(math.floor(score / FINE_STEP + _GUARD), FINE_LEAST), FINE_MOST)


def coarse(fine: Mapping[int, int]) -> tuple[int, ...]:
    """The same counts by coarse bins."""
    counts = [0] * SCORE_BINS
    for number, count in fine.items():
        counts[_coarse_of(number)] += count
    return tuple(counts)


def reached(fine: Mapping[int, int], threshold: float) -> int:
    """How many of the counted scores lie at or above a threshold, by their bins' lower borders."""
    return sum(count for number, count in fine.items() if number >= fine_bin(threshold))


def _coarse_of(number: int) -> int:
    """The coarse bin in which a fine one lies; so the two histograms never disagree."""
    lowest = round(SCORE_LOW / FINE_STEP)
    return min(max((number - lowest) // _FINE_IN_COARSE, 0), SCORE_BINS - 1)
