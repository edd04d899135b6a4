"""The true recognition rate: the share of passages of listed people in which they were recognised.

Each control subject walks past several times. A subject who was recognised once is more often
recognised again, so passages of one subject are correlated. The interval is that of Korn and
Graubard ("Confidence intervals for proportions with small expected number of positive counts
estimated from survey data", Survey Methodology 24, 1998): Clopper and Pearson with an effective
number of passages,

    n* = n / max(1, deff) * (t(n - 1) / t(c - 1))^2

where n is the number of passages, c the number of subjects, and t the 97.5% quantile of Student's
distribution. deff is the variance of the rate with subjects as clusters, divided by the variance
for independent passages. A design effect below one is replaced by one. If the subjects were
recognised in all passages or in none, deff is undefined, and n* is the number of subjects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from openlfr.operations.intervals import Interval, clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_SUBJECTS = 5
"""With fewer subjects an interval would describe these few people and not the system."""


@dataclass(frozen=True, slots=True)
class RecognitionRate:
    """The result of planned passages.

    Attributes:
        found: Number of passages in which the subject was recognised.
        passages: Number of passages.
        subjects: Number of subjects.
        rate: Share of passages in which the subject was recognised; None without a passage.
        interval: 95% interval of the rate; None with fewer than `MIN_SUBJECTS` subjects.
    """

    found: int
    passages: int
    subjects: int
    rate: float | None
    interval: Interval | None


def recognition_rate(by_subject: Sequence[tuple[int, int]]) -> RecognitionRate:
    """Compute the rate over all passages, with its interval.

    Args:
        by_subject: Numbers of recognitions and passages of each subject; subjects without a passage
            are ignored.

    Raises:
        ValueError: A subject has more recognitions than passages.
    """
    counts = np.array([each for each in by_subject if each[1]], np.float64).reshape(-1, 2)
    hits, trials = counts[:, 0], counts[:, 1]
    if (hits > trials).any() or (hits < 0).any():
        raise ValueError("a subject has more recognitions than passages")
    found, passages, subjects = int(hits.sum()), int(trials.sum()), len(trials)
    if not passages:
        return RecognitionRate(0, 0, 0, None, None)
    rate = found / passages
    if subjects < MIN_SUBJECTS:
        return RecognitionRate(found, passages, subjects, rate, None)
    effective = float(subjects)
    if 0 < found < passages:
        residuals = hits - rate * trials
        clustered = subjects / (subjects - 1) * float((residuals**2).sum()) / passages**2
        independent = rate * (1 - rate) / passages
        freedom = float(student.ppf(0.975, passages - 1) / student.ppf(0.975, subjects - 1)) ** 2
        effective = passages / max(1.0, clustered / independent) * freedom
    interval = clopper_pearson(rate * effective, effective)
    return RecognitionRate(found, passages, subjects, rate, interval)
