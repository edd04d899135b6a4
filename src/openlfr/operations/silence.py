"""What a stretch without an alert excludes.

If no alert came from n independent searches, a share p of false alerts is excluded at 95% where
(1 - p)^n is below 0.05 (one-sided), or below 0.025 (the upper end of Clopper and Pearson's
two-sided interval, Biometrika 26, 1934). One person who walks past gives several tracks, which are
not independent: of k tracks a walker, as passages show it, n tracks are n / k searches.

How many listed people can have walked past unseen follows from the lower end of the true
recognition rate's interval: m of them would all be missed with probability (1 - low)^m at most, and
m is excluded where that is below 0.025.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from openlfr.operations.intervals import trials_needed

_ONE_SIDED, _TWO_SIDED = 0.05, 0.025


@dataclass(frozen=True, slots=True)
class Silence:
    """What no alert from so many tracks says of false alerts.

    Attributes:
        tracks: Searched without an alert.
        tracks_per_walker: By which they were divided; 1 supposes that each track is a person of
            its own.
        searches: Independent ones, at most.
        one_sided: Highest share of false alerts that is not excluded at 95%, one-sided.
        two_sided: The same as the upper end of a two-sided interval.
    """

    tracks: int
    tracks_per_walker: float
    searches: float
    one_sided: float
    two_sided: float


def silence(tracks: int, tracks_per_walker: float = 1.0) -> Silence:
    """What `tracks` without an alert bound.

    Raises:
        ValueError: There is no track, or a walker has less than one.
    """
    if tracks < 1 or not tracks_per_walker >= 1:
        raise ValueError("silence of no track, or of less than one a walker, says nothing")
    searches = tracks / tracks_per_walker
    return Silence(
        tracks, tracks_per_walker, searches,
        -math.expm1(math.log(_ONE_SIDED) / searches), -math.expm1(math.log(_TWO_SIDED) / searches),
    )  # fmt: skip


def excluded_passages(lowest_rate: float) -> int | None:
    """From how many passages of listed people on it is excluded that none would have been found.

    As visible as the control subjects, and independent of each other.

    Args:
        lowest_rate: Lower end of the two-sided 95% interval of the true recognition rate.

    Returns:
        The number; None where the rate may be nought, and nothing is excluded.
    """
    if lowest_rate <= 0:
        return None
    return 1 if lowest_rate >= 1 else max(1, trials_needed(lowest_rate))
