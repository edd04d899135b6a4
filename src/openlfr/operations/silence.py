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
from dataclasses import dataclass

from openlfr.operations.intervals import compute_min_trials

_ONE_SIDED, _TWO_SIDED = 0.05, 0.025


@dataclass(frozen=True, slots=True)
class FalseAlertBound:
    """Bounds of the share of false alerts after tracks without an alert.

    Attributes:
        tracks: Number of searched tracks without an alert.
        tracks_per_walker: Tracks per person; `tracks` is divided by this number. 1 assumes that
            each track is another person.
        searches: Largest number of independent searches.
        one_sided: Highest share of false alerts that is not excluded at 95%, one-sided.
        two_sided: The upper end of a two-sided interval.
    """

    tracks: int
    tracks_per_walker: float
    searches: float
    one_sided: float
    two_sided: float


def silence(tracks: int, tracks_per_walker: float = 1.0) -> FalseAlertBound:
    """Bound the share of false alerts after `tracks` without an alert.

    Raises:
        ValueError: There is no track, or less than one track per walker.
    """
    if tracks < 1 or not tracks_per_walker >= 1:
        raise ValueError("at least one track, and one track per walker, are needed for a bound")
    searches = tracks / tracks_per_walker
    return FalseAlertBound(
        tracks, tracks_per_walker, searches,
        -math.expm1(math.log(_ONE_SIDED) / searches), -math.expm1(math.log(_TWO_SIDED) / searches),
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
