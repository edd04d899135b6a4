"""Identification rates of an open-set experiment, and how sure they are.

FPIR(t) is the share of non-mated probes with a candidate at or above t, TPIR(t) the share of
mated probes whose best candidate is their own person and at or above t (ISO/IEC 19795-1, with
rank 1). Intervals are percentiles of a bootstrap (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, ch. 13) that draws people and not photos, since the photos of one person hang
together; each draw finds its own threshold, so that the threshold's own uncertainty is in the
interval. The gallery stays as it is. (`scipy.stats.bootstrap` draws single observations.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DRAWS = 1000
_PERCENTILES = (2.5, 97.5)
_DRAWS_AT_ONCE = 100  # bounds the memory: draws x probes


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate, 0 to 1, and its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """TPIR at a target FPIR.

    Attributes:
        tpir: Share of mated probes found.
        threshold: The smallest score at which FPIR is not above the target.
        low, high: 95% interval of `tpir`.
        false_positives: Non-mated probes at or above the threshold.
    """

    tpir: float
    threshold: float
    low: float
    high: float
    false_positives: int


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
    trials: Trials, fpirs: Sequence[float], *, seed: int = 0
) -> tuple[Rate, dict[float, OperatingPoint]]:
    """Rank-1 rate, and TPIR at each target FPIR.

    Args:
        trials: At least one mated probe; without non-mated ones there are no operating points.
        fpirs: Target FPIRs, 0 to 1.
        seed: Of the bootstrap; the same seed gives the same intervals.
    """
    order = np.argsort(-trials.nonmated_scores, kind="stable")
    strangers = trials.nonmated_scores[order]
    found = np.flatnonzero(trials.correct)
    found = found[np.argsort(-trials.mated_scores[found], kind="stable")]
    # For each stranger: how many found probes score above that stranger.
    above = np.searchsorted(-trials.mated_scores[found], -strangers, side="left")
    people = int(trials.owners.max()) + 1
    probes = np.bincount(trials.owners, minlength=people)
    hits = np.bincount(trials.owners[found], minlength=people)
    total = len(trials.owners)

    allowed = [int(np.floor(fpir * len(strangers) + 1e-9)) for fpir in fpirs]
    draws: list[NDArray[np.float64]] = []
    generator = np.random.default_rng(seed)
    for start in range(0, DRAWS, _DRAWS_AT_ONCE):
        size = min(_DRAWS_AT_ONCE, DRAWS - start)
        times = _draw(generator, people, size)
        drawn = times @ probes  # how many probes each draw holds
        columns = [times @ hits / drawn]
        if len(strangers):
            stranger_times = _draw(generator, len(strangers), size)[:, order]
            false = np.cumsum(stranger_times, axis=1)
            weights = np.zeros((size, len(found) + 1), np.int64)
            np.cumsum(times[:, trials.owners[found]], axis=1, out=weights[:, 1:])
            for limit in allowed:
                # The first stranger too many sets the threshold just above their score.
                first = np.minimum((false <= limit).sum(axis=1), len(strangers) - 1)
                columns.append(weights[np.arange(size), above[first]] / drawn)
        draws.append(np.stack(columns))
    low, high = np.percentile(np.concatenate(draws, axis=1), _PERCENTILES, axis=1)

    rank1 = Rate(len(found) / total, float(low[0]), float(high[0]))
    points: dict[float, OperatingPoint] = {}
    if len(strangers):
        for column, (fpir, limit) in enumerate(zip(fpirs, allowed, strict=True), start=1):
            worst = strangers[min(limit, len(strangers) - 1)]
            points[fpir] = OperatingPoint(
                tpir=float(above[min(limit, len(strangers) - 1)]) / total,
                threshold=float(np.nextafter(max(worst, np.float32(-1)), np.float32(2))),
                low=float(low[column]),
                high=float(high[column]),
                false_positives=int((strangers > worst).sum()),
            )
    return rank1, points


def _draw(generator: np.random.Generator, people: int, size: int) -> NDArray[np.int64]:
    """(size, people) how often each person is drawn, `people` times with replacement."""
    return generator.multinomial(people, np.full(people, 1 / people), size=size)
