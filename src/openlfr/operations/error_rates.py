"""Identification rates of an open-set experiment, with their confidence intervals.

FPIR(t) is the share of non-mated probes with a candidate at or above t, TPIR(t) the share of
mated probes whose best candidate is their own person and at or above t (ISO/IEC 19795-1, with
rank 1). The gallery is fixed: the intervals are about other probes.

How TPIR at a target FPIR is bounded: the threshold that has that FPIR is not known, it lies
between two order statistics of the strangers' scores. TPIR falls as the threshold rises, so it is
at least its own lower limit at the highest such threshold and at most its upper limit at the
lowest. Each of the two statements is made at 97.5%, so that both hold at 95% (Bonferroni). The
intervals themselves: `operations.intervals`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from openlfr.operations.intervals import (
    clopper_pearson,
    grouped,
    quantile_ranks,
    trials_needed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.operations.intervals import Interval

_EACH_OF_TWO = 0.975


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate, 0 to 1, and its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The rates at a target FPIR. Intervals are at 95%.

    Attributes:
        tpir: Share of mated probes found at `threshold`.
        threshold: The smallest score at which the measured FPIR is not above the target.
        low, high: Interval of TPIR at the target FPIR, whose threshold is unknown; `low` is 0 if
            that threshold has no upper bound.
        false_positives: Number of non-mated probes at or above `threshold`.
        threshold_low, threshold_high: Interval of the threshold that has the target FPIR; None if
            unbounded.
        fpir: The FPIR measured at `threshold`.
        tpir_here: Interval of TPIR at `threshold` itself, whatever its FPIR.
        as_another: Share of mated probes whose best candidate is at or above `threshold` and is
            another person: false alerts too.
        reason: A sentence if there are too few strangers; else None.
    """

    tpir: float
    threshold: float
    low: float
    high: float
    false_positives: int
    threshold_low: float | None
    threshold_high: float | None
    fpir: Rate
    tpir_here: Rate
    as_another: Rate
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As the documented JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A target FPIR for which there are too few strangers.

    Attributes:
        reason: A sentence with the number of strangers that is needed.
    """

    reason: str

    def as_json(self) -> dict[str, Any]:
        """The same keys as an operating point, `null` but for the reason."""
        return dict.fromkeys(OperatingPoint.__dataclass_fields__) | {"reason": self.reason}


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """The searches of an experiment; a failed one has the score -inf.

    Attributes:
        owners: (mated,) for each mated probe the number of its person, from 0.
        correct: (mated,) whether the best candidate is that person.
        mated_scores: (mated,) score of the best candidate.
        nonmated_scores: (nonmated,) likewise; each probe is another person.
    """

    owners: NDArray[np.intp]
    correct: NDArray[np.bool_]
    mated_scores: NDArray[np.float32]
    nonmated_scores: NDArray[np.float32]


def measure(
    trials: Trials, fpirs: Sequence[float]
) -> tuple[Rate, dict[float, OperatingPoint | Unsupported]]:
    """Rank-1 rate, and TPIR at each target FPIR.

    Args:
        trials: At least one mated probe; without non-mated ones there are no operating points.
        fpirs: Target FPIRs, more than 0 and less than 1.
    """
    rank1 = _rate_by_person(trials, trials.correct)
    strangers = -np.sort(-trials.nonmated_scores)
    if not len(strangers):
        return rank1, {}
    return rank1, {fpir: _point(trials, strangers, fpir) for fpir in fpirs}


def _point(
    trials: Trials, strangers: NDArray[np.float32], fpir: float
) -> OperatingPoint | Unsupported:
    """The operating point at a target FPIR.

    Args:
        trials: The experiment.
        strangers: (n,) their scores, highest first.
        fpir: The target.
    """
    number = len(strangers)
    allowed = int(np.floor(fpir * number + 1e-9))
    if not allowed:
        return Unsupported(
            f"{number} strangers say nothing of FPIR {fpir:g}: one false alert among them is more "
            f"already. It takes {int(np.ceil(1 / fpir - 1e-9))}, and "
            f"{trials_needed(fpir, level=_EACH_OF_TWO)} for an interval."
        )
    threshold = _just_above(strangers[min(allowed, number - 1)])
    false = int((strangers >= np.float32(threshold)).sum())

    ranks = quantile_ranks(number, fpir)
    wider = quantile_ranks(number, fpir, level=_EACH_OF_TWO)
    reason = None
    if wider.above:
        highest = _just_above(strangers[wider.above - 1])
        low = _found(trials, highest, level=_EACH_OF_TWO).low
    else:
        low = 0.0
        reason = (
            f"{number} strangers do not bound the threshold of FPIR {fpir:g} from above, so TPIR "
            f"there has no lower limit: it takes {trials_needed(fpir, level=_EACH_OF_TWO)}."
        )
    lowest = _just_above(strangers[wider.below - 1]) if wider.below <= number else -1.0
    here = _found(trials, threshold)
    found = trials.correct & (trials.mated_scores >= np.float32(threshold))
    wrong = ~trials.correct & (trials.mated_scores >= np.float32(threshold))
    tpir = float(found.mean())
    return OperatingPoint(
        tpir=tpir,
        threshold=threshold,
        low=low,
        high=_found(trials, lowest, level=_EACH_OF_TWO).high,
        false_positives=false,
        threshold_low=_just_above(strangers[ranks.below - 1]) if ranks.below <= number else None,
        threshold_high=_just_above(strangers[ranks.above - 1]) if ranks.above else None,
        fpir=Rate(false / number, *clopper_pearson(false, number)),
        tpir_here=Rate(tpir, *here),
        as_another=_rate_by_person(trials, wrong),
        reason=reason,
    )


def _just_above(score: np.float32) -> float:
    """The lowest threshold that this score does not reach; a failed search has no score."""
    return float(np.nextafter(max(score, np.float32(-1)), np.float32(2)))


def _found(trials: Trials, threshold: float, *, level: float = 0.95) -> Interval:
    """The interval of TPIR at a threshold, by person."""
    found = trials.correct & (trials.mated_scores >= np.float32(threshold))
    return grouped(*_by_person(trials, found), level=level)


def _rate_by_person(trials: Trials, which: NDArray[np.bool_]) -> Rate:
    return Rate(float(which.mean()), *grouped(*_by_person(trials, which)))


def _by_person(
    trials: Trials, which: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(people,) for each how many of the probes are among these, and how many there are."""
    people = int(trials.owners.max()) + 1
    return (
        np.bincount(trials.owners[which], minlength=people).astype(np.int64),
        np.bincount(trials.owners, minlength=people).astype(np.int64),
    )
