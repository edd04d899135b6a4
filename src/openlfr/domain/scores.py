"""Histograms of scores with coarse bins for charts, and fine bins for error rates.

The rate of false alerts is computed at the upper end of the strangers' scores, where it falls by a
factor of four from one coarse bin to the next. So each score is also counted in a bin of width
0.0025; empty fine bins are not stored. A threshold that is a multiple of 0.0025 lies between two
fine bins.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORE_LOW, SCORE_STEP, SCORE_BINS = -0.2, 0.02, 60
#: Borders of the coarse bins, -0.20 to 1.00 in steps of 0.02; one more than there are bins.
SCORE_EDGES = tuple(round(SCORE_LOW + SCORE_STEP * i, 2) for i in range(SCORE_BINS + 1))

FINE_STEP = 0.0025
"""Width of a fine bin; bin n begins at n times this width."""
FINE_MIN, FINE_MAX = -400, 400
"""The end bins, for the scores -1 and 1; they include scores outside this range."""
_GUARD = 1e-9  # a score on a border counts as above the border, despite rounding
_FINE_IN_COARSE = 8


def score_bin(score: float) -> int:
    """Return the coarse bin of a score; the end bins include scores outside the edges."""
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
    """Return the number of scores in the threshold's fine bin and the bins above."""
    return sum(count for number, count in fine.items() if number >= fine_bin(threshold))


def _coarse_of(number: int) -> int:
    """Return the coarse bin of a fine bin, so that the two histograms are consistent."""
    lowest = round(SCORE_LOW / FINE_STEP)
    return min(max((number - lowest) // _FINE_IN_COARSE, 0), SCORE_BINS - 1)
