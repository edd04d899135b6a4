"""95% intervals whose coverage is correct also with few errors.

The coverage of a bootstrap is wrong in the extreme tail: at FPIR 0.001 with 1,000, 500 and 200
strangers, bootstrap intervals contained the true value in 0.74, 0.58 and 0.32 of the cases. The
intervals of this module are exact or conservative (`benchmarks/coverage.py` measures them).

- A share of independent trials: Clopper and Pearson, "The use of confidence or fiducial limits
  illustrated in the case of the binomial", Biometrika 26 (1934).
- A quantile (the threshold at a target FPIR): an interval between two order statistics, valid for
  every distribution of scores (David and Nagaraja, "Order Statistics", 3rd ed., 2003, section 7.1).
- A share of trials that are correlated by person: Clopper and Pearson with the effective number of
  trials (Korn and Graubard, "Confidence intervals for proportions with small expected number of
  positive counts estimated from survey data", Survey Methodology 24, 1998). The effective number is
  the number of trials over Kish's design effect for unequal groups, 1 + rho (sum m^2 / sum m - 1).
  rho is the intraclass correlation by the analysis of variance (Donner, "A review of inference
  procedures for the intraclass correlation coefficient", Int. Statistical Review 54, 1986). The
  upper limit of rho is used, after one person without a hit is added: few misses give a bad
  estimate of rho, and too small a rho would make the interval too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import beta, binom, chi2

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.95
_Z_UPPER = 1.645  # one-sided 95% quantile of the normal distribution


class Interval(NamedTuple):
    """The two ends of an interval."""

    low: float
    high: float


class Ranks(NamedTuple):
    """Ranks of two order statistics that bound a quantile; the highest observation has rank 1.

    Attributes:
        above: Rank of the upper bound; 0 if there are too few observations for an upper bound.
        below: Rank of the lower bound; the number of observations plus one if there is no lower
            bound.
    """

    above: int
    below: int


def clopper_pearson(hits: float, trials: float, *, level: float = LEVEL) -> Interval:
    """Compute the interval of a share of independent trials; both numbers may be fractional.

    Without trials, the interval is 0 to 1.
    """
    tail = (1 - level) / 2
    if trials <= 0:
        return Interval(0.0, 1.0)
    misses = max(trials - hits, 0.0)
    low = float(beta.ppf(tail, hits, misses + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, misses)) if misses > 0 else 1.0
    return Interval(low, high)


def poisson_rate(events: int, exposure: float, *, level: float = LEVEL) -> Interval:
    """Compute the interval of a rate of independent events per unit of a positive exposure.

    Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936).
    """
    tail = (1 - level) / 2
    low = float(chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    return Interval(low / exposure, float(chi2.ppf(1 - tail, 2 * events + 2)) / 2 / exposure)


def quantile_ranks(trials: int, share: float, *, level: float = LEVEL) -> Ranks:
    """Compute the ranks of observations that bound the score exceeded by `share` of the population.

    The number of observations above this score has a binomial distribution, for every distribution
    of scores.
    """
    tail = (1 - level) / 2
    return Ranks(int(binom.ppf(tail, trials, share)), int(binom.ppf(1 - tail, trials, share)) + 1)


def compute_min_trials(share: float, *, level: float = LEVEL) -> int:
    """Compute the smallest number of observations that bounds a quantile from above.

    The quantile is the score that `share` of the population exceeds. With this number,
    `quantile_ranks(...).above` is not 0, and 0 hits have an upper limit of at most `share`.
    """
    return int(np.ceil(np.log((1 - level) / 2) / np.log1p(-share)))


def grouped(
    hits: NDArray[np.int64], trials: NDArray[np.int64], *, level: float = LEVEL
) -> Interval:
    """Compute the interval of a share of trials that are correlated within groups.

    Args:
        hits: (groups,) number of successful trials of each group (a person).
        trials: (groups,) number of trials of each group; groups without trials are ignored.
        level: Confidence level of the interval.
    """
    known = trials > 0
    good = hits[known].astype(np.float64)
    sizes = trials[known].astype(np.float64)
    total = float(sizes.sum())
    if not total:
        return Interval(0.0, 1.0)
    spread = float((sizes**2).sum()) / total - 1
    effective = total / (1 + _highest_correlation(good, sizes) * spread)
    return clopper_pearson(float(good.sum()) / total * effective, effective, level=level)


def _highest_correlation(hits: NDArray[np.float64], trials: NDArray[np.float64]) -> float:
    """Compute an upper limit of the correlation within a group, by the jackknife over groups."""
    if len(trials) < 2:  # one group cannot show how groups differ
        return 1.0
    hits = np.append(hits, 0.0)
    trials = np.append(trials, max(2.0, np.round(trials.mean())))
    each = np.stack([np.ones_like(hits), trials, hits, hits**2 / trials, trials**2])
    sums = each.sum(axis=1, keepdims=True)
    estimate, without_one = _correlation(sums)[0], _correlation(sums - each)
    groups = len(trials)
    variance = (groups - 1) / groups * ((without_one - without_one.mean()) ** 2).sum()
    return float(min(1.0, estimate + _Z_UPPER * np.sqrt(variance)))


def _correlation(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute (n,) intraclass correlations, 0 to 1, from (5, n) sums of `_highest_correlation`."""
    groups, trials, hits, shares, squares = sums
    between = (shares - hits**2 / trials) / np.maximum(groups - 1, 1)
    within = (hits - shares) / np.maximum(trials - groups, 1)
    size = (trials - squares / trials) / np.maximum(groups - 1, 1)
    whole = between + (size - 1) * within
    safe = np.where(whole > 1e-12, whole, 1.0)
    # Without differences between groups rho cannot be estimated, so the worst case is assumed.
    return np.where(whole > 1e-12, np.clip((between - within) / safe, 0, 1), 1.0)
