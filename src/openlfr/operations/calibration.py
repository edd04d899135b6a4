"""Calibration: the lowest threshold for which the data show a FPIR of at most the target.

The FPIR (false positive identification rate) is the share of unlisted people who reach the
threshold. Each of `n` unlisted people has one score: the highest score of all their tracks against
the present list. The threshold lies just above the (k+1)-th highest score, with the largest k whose
upper limit is at most the target (Clopper and Pearson, "The use of confidence or fiducial limits
illustrated in the case of the binomial", Biometrika 26, 1934):

    k = max{k: Beta^-1(0.975; k + 1, n - k) <= target}

The share of the population above the (k+1)-th highest of n scores has the distribution
Beta(k + 1, n - k), for every distribution of scores. So the share is above the target in at most
one of forty calibrations. Nothing is extrapolated: if the upper limit for k = 0 is above the
target, the data do not support the target. The result is valid for a list of this length only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from openlfr.domain.errors import BadInput
from openlfr.operations.intervals import Interval, clopper_pearson, compute_min_trials

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CalibratedThreshold:
    """The result of a calibration.

    Attributes:
        value: The threshold; a score that reaches it is a sighting.
        target_fpir: The requested FPIR.
        people: Number of unlisted people, with one score each.
        above: Number of people whose score reaches the threshold.
        fpir: 95% interval of the share of such people in the population; its upper end is at most
            the target.
    """

    value: float
    target_fpir: float
    people: int
    above: int
    fpir: Interval


def calibrate(scores: NDArray[np.float32], target_fpir: float) -> CalibratedThreshold:
    """Compute the lowest threshold for which the scores show a FPIR of at most the target.

    Args:
        scores: (people,) float32, the highest score of all tracks of each unlisted person; -1 for a
            person who was never searched.
        target_fpir: Share of unlisted people who may reach the threshold, above 0 and below 1.

    Raises:
        BadInput: The target is not between 0 and 1, a score is not finite, or there are too few
            people for the target; the message states the required number.
    """
    if not 0 < target_fpir < 1:
        raise BadInput(f"{target_fpir:g} is no target FPIR: use a share above 0 and below 1.")
    if not np.isfinite(scores).all():
        raise BadInput("A score is not finite: leave out people whose search failed.")
    people, needed = len(scores), compute_min_trials(target_fpir)
    if people < needed:
        raise BadInput(
            f"{people} unlisted people do not support a target FPIR of {target_fpir:g}: even if"
            " none of them reached the threshold, a larger share of the population could reach it."
            f" At least {needed} people are needed."
        )
    allowed = _max_above(people, target_fpir)
    ranked = np.sort(scores.astype(np.float32))[::-1]
    value = float(np.nextafter(max(ranked[allowed], np.float32(-1)), np.float32(2)))
    above = int((ranked >= np.float32(value)).sum())
    return CalibratedThreshold(value, target_fpir, people, above, clopper_pearson(above, people))


def _max_above(people: int, target: float) -> int:
    """Return the largest k whose upper limit, with n = `people`, is at most the target."""
    numbers = np.arange(int(people * target) + 1)  # a larger k / people is above the target
    upper = beta.ppf(0.975, numbers + 1, people - numbers)
    return int(np.searchsorted(upper, target, side="right")) - 1
