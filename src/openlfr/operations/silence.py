"""Bounds the share of false alerts after a period without an alert.

After n independent searches without an alert, a share p of false alerts is excluded at 95% if
(1 - p)^n is below 0.05 (one-sided), or below 0.025 (the upper end of Clopper and Pearson's
two-sided interval, Biometrika 26, 1934). The tracks of one person who walks past are not
independent. With k tracks per person, which passages of control subjects show, n tracks count as
n / k searches.

The number of listed people who can have walked past unseen follows from the true recognition rate.
With `low`, the lower end of its interval, m listed people are all missed with a probability of at
most (1 - low)^m. A number m is excluded if this probability is below 0.025.
"""

from __future__ import annotations

import math

from openlfr.domain.alert_results import FalseAlertBound
from openlfr.operations.intervals import compute_min_trials

_ONE_SIDED, _TWO_SIDED = 0.05, 0.025


def silence(tracks: int, tracks_per_walker: float | None = None) -> FalseAlertBound:
    """Bound the share of false alerts after `tracks` without an alert.

    Args:
        tracks: Number of searched tracks.
        tracks_per_walker: Measured tracks per person; None assumes 1.

    Raises:
        ValueError: There is no track, or less than one track per walker.
    """
    per_walker = 1.0 if tracks_per_walker is None else tracks_per_walker
    if tracks < 1 or not per_walker >= 1:
        raise ValueError("at least one track, and one track per walker, are needed for a bound")
    searches = tracks / per_walker
    return FalseAlertBound(
        tracks, per_walker, searches,
        -math.expm1(math.log(_ONE_SIDED) / searches), -math.expm1(math.log(_TWO_SIDED) / searches),
        is_measured=tracks_per_walker is not None,
    )  # fmt: skip


def excluded_passages(lowest_rate: float) -> int | None:
    """Compute the smallest number of passages of listed people that cannot all have been missed.

    The passages are assumed to be independent, and as visible as passages of control subjects.

    Args:
        lowest_rate: Lower end of the two-sided 95% interval of the true recognition rate.

    Returns:
        The number; None if the rate may be 0, so that nothing is excluded.
    """
    if lowest_rate <= 0:
        return None
    return 1 if lowest_rate >= 1 else max(1, compute_min_trials(lowest_rate))
