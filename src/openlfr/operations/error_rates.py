"""Identification rates of an open-set experiment, with their confidence intervals.

- FPIR(t) is the share of non-mated probes with a candidate at or above t.
- TPIR(t) is the share of mated probes whose best candidate is at or above t, and is the probe's own
  person (ISO/IEC 19795-1, with rank 1).

The gallery is fixed, so the intervals describe other probes in the same gallery.

The threshold that has the target FPIR is unknown: it lies between two order statistics of the
strangers' scores. TPIR falls as the threshold rises. So TPIR at the target FPIR is at least the
lower limit of TPIR at the highest possible threshold, and at most the upper limit of TPIR at the
lowest possible threshold. Each of the two statements has a confidence of 97.5%, so both together
have 95% (Bonferroni). `operations.intervals` computes the intervals.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from openlfr.operations.intervals import (
    clopper_pearson,
    compute_min_trials,
    grouped,
    quantile_ranks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.operations.intervals import Interval

_LEVEL_OF_EACH = 0.975  # confidence of each of two statements that together have 95%


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate, 0 to 1, and its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The rates at a target FPIR, with intervals at 95%.

    Attributes:
        tpir: Share of mated probes found at `threshold`.
        threshold: The lowest threshold at which the measured FPIR is at most the target.
        low, high: Interval of TPIR at the target FPIR, whose exact threshold is unknown; `low` is 0
            if the strangers do not bound this threshold from above.
        false_positives: Number of non-mated probes at or above `threshold`.
        threshold_low, threshold_high: Interval of the threshold that has the target FPIR; None if
            unbounded.
        fpir: The FPIR measured at `threshold`, with its interval.
        tpir_here: TPIR at `threshold` itself, with its interval.
        as_another: Share of mated probes whose best candidate is at or above `threshold` but is
            another person; these are false alerts too.
        reason: Why `low` is 0, as a sentence, if there are too few strangers; else None.
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
        """Return the documented JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A target FPIR at which not even one of the strangers may be a false alert.

    Attributes:
        reason: A sentence with the required number of strangers.
    """

    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the same keys as an operating point; all values except the reason are `null`."""
        return dict.fromkeys(OperatingPoint.__dataclass_fields__) | {"reason": self.reason}


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """The searches of an experiment; a failed search has the score -inf.

    Attributes:
        owners: (mated,) number of the person of each mated probe, from 0.
        correct: (mated,) whether the best candidate is the probe's person.
        mated_scores: (mated,) score of the best candidate.
        nonmated_scores: (nonmated,) score of the best candidate; each probe is another person.
    """

    owners: NDArray[np.intp]
    correct: NDArray[np.bool_]
    mated_scores: NDArray[np.float32]
    nonmated_scores: NDArray[np.float32]


def measure(
    trials: Trials, fpirs: Sequence[float]
) -> tuple[Rate, dict[float, OperatingPoint | Unsupported]]:
    """Measure the rank-1 rate, and TPIR at each target FPIR.

    Args:
        trials: Trials with at least one mated probe. Without non-mated probes there are no
            operating points.
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
    """Compute the operating point at a target FPIR, or state that there are too few strangers.

    Args:
        trials: The experiment.
        strangers: (n,) scores of the strangers, highest first.
        fpir: The target.
    """
    number = len(strangers)
    allowed = int(np.floor(fpir * number + 1e-9))
    if not allowed:
        return Unsupported(
            f"{number} strangers are too few for FPIR {fpir:g}: one false alert among them is a "
            f"larger share. At least {int(np.ceil(1 / fpir - 1e-9))} are needed, and "
            f"{compute_min_trials(fpir, level=_LEVEL_OF_EACH)} for an interval."
        )
    threshold = _just_above(strangers[min(allowed, number - 1)])
    false = int((strangers >= np.float32(threshold)).sum())

    ranks = quantile_ranks(number, fpir)
    wider = quantile_ranks(number, fpir, level=_LEVEL_OF_EACH)
    reason = None
    if wider.above:
        highest = _just_above(strangers[wider.above - 1])
        low = _tpir_interval(trials, highest, level=_LEVEL_OF_EACH).low
    else:
        low = 0.0
        reason = (
            f"{number} strangers do not bound the threshold of FPIR {fpir:g} from above, so TPIR "
            f"has no lower limit; {compute_min_trials(fpir, level=_LEVEL_OF_EACH)} are needed."
        )
    lowest = _just_above(strangers[wider.below - 1]) if wider.below <= number else -1.0
    here = _tpir_interval(trials, threshold)
    found = trials.correct & (trials.mated_scores >= np.float32(threshold))
    wrong = ~trials.correct & (trials.mated_scores >= np.float32(threshold))
    tpir = float(found.mean())
    return OperatingPoint(
        tpir=tpir,
        threshold=threshold,
        low=low,
        high=_tpir_interval(trials, lowest, level=_LEVEL_OF_EACH).high,
        false_positives=false,
        threshold_low=_just_above(strangers[ranks.below - 1]) if ranks.below <= number else None,
        threshold_high=_just_above(strangers[ranks.above - 1]) if ranks.above else None,
        fpir=Rate(false / number, *clopper_pearson(false, number)),
        tpir_here=Rate(tpir, *here),
        as_another=_rate_by_person(trials, wrong),
        reason=reason,
    )


def _just_above(score: np.float32) -> float:
    """Return the lowest threshold that this score does not reach; -inf counts as -1."""
    return float(np.nextafter(max(score, np.float32(-1)), np.float32(2)))


def _tpir_interval(trials: Trials, threshold: float, *, level: float = 0.95) -> Interval:
    """Compute the interval of TPIR at a threshold, with probes grouped by person."""
    found = trials.correct & (trials.mated_scores >= np.float32(threshold))
    return grouped(*_count_by_person(trials, found), level=level)


def _rate_by_person(trials: Trials, hits: NDArray[np.bool_]) -> Rate:
    return Rate(float(hits.mean()), *grouped(*_count_by_person(trials, hits)))


def _count_by_person(
    trials: Trials, hits: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (people,) the number of hits of each person, and (people,) the number of probes."""
    people = int(trials.owners.max()) + 1
    return (
        np.bincount(trials.owners[hits], minlength=people).astype(np.int64),
        np.bincount(trials.owners, minlength=people).astype(np.int64),
    )
