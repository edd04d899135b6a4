"""Histograms of scores: coarse ones for charts, fine ones to count errors in the tail.

The rate of false alerts is read at the end of the strangers' scores, where it falls by a factor of
four from one coarse bin to the next. So each score is also counted in bins of 0.0025, of which only
non-empty ones are stored. A threshold that is a multiple of 0.0025 lies between two fine bins.
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
"""Width of a fine bin; bin n begins at n times this score."""
FINE_MIN, FINE_MAX = -400, 400
"""The end bins, of scores of -1 and 1; scores outside are counted in them."""
_GUARD = 1e-9  # counts a score on a border as above it, despite floating point
_FINE_IN_COARSE = 8


def score_bin(score: float) -> int:
    """Return the coarse bin of a score; scores outside the edges are in the end bins."""
    return _coarse_of(fine_bin(score))


def fine_bin(score: float) -> int:
    """Return the fine bin of a score."""
    return min(max(math.floor(score / FINE_STEP + _GUARD), FINE_MIN), FINE_MAX)


def to_coarse_bins(fine: Mapping[int, int]) -> tuple[int, ...]:
    """Convert counts by fine bins to counts by coarse bins."""
    counts = [0] * SCORE_BINS
    for number, count in fine.items():
        counts[_coarse_of(number)] += count
    return tuple(counts)


def count_reached(fine: Mapping[int, int], threshold: float) -> int:
    """Return number of scores in the fine bins from the threshold's bin on."""
    return sum(count for number, count in fine.items() if number >= fine_bin(threshold))


def _coarse_of(number: int) -> int:
    """Return the coarse bin of a fine bin; it makes the two histograms consistent."""
    lowest = round(SCORE_LOW / FINE_STEP)
    return min(max((number - lowest) // _FINE_IN_COARSE, 0), SCORE_BINS - 1)
