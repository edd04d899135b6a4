"""The true recognition rate: the share of passages of listed people in which they were found.

Control subjects walk past several times each, and a subject who was found once is more often found
again: passages of one subject are correlated. The interval is that of Korn and Graubard
("Confidence intervals for proportions with small expected number of positive counts estimated from
survey data", Survey Methodology 24, 1998): Clopper and Pearson with an effective number of
passages,

    n* = n / max(1, deff) * (t(n - 1) / t(c - 1))^2

where n are passages, c subjects, t the 97.5% quantile of Student's law, and deff the variance of
the rate with subjects as clusters over that of independent passages. A design effect below one is
taken as one, before the degrees of freedom. If all or none were found, deff is undefined and n* is
the number of subjects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from openlfr.operations.intervals import Interval, clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_SUBJECTS = 5
"""With fewer subjects an interval would describe these few people and not the system."""


@dataclass(frozen=True, slots=True)
class RecognitionRate:
    """The result of planned passages.

    Attributes:
        found: Number of passages in which the subject was found.
        passages: Number of passages.
        subjects: Number of subjects.
        rate: Share of passages with the subject found; None without a passage.
        interval: 95% interval of the rate; None with fewer than `FEWEST_SUBJECTS` subjects.
    """

    found: int
    passages: int
    subjects: int
    rate: float | None
    interval: Interval | None


def recognition_rate(by_subject: Sequence[tuple[int, int]]) -> RecognitionRate:
    """The rate over all passages, with its interval.

    Args:
        by_subject: For each subject (found, passages); subjects without a passage are left out.

    Raises:
        ValueError: More were found than walked.
    """
    counts = np.array([each for each in by_subject if each[1]], np.float64).reshape(-1, 2)
    hits, trials = counts[:, 0], counts[:, 1]
    if (hits > trials).any() or (hits < 0).any():
        raise ValueError("more passages were found than walked")
    found, passages, subjects = int(hits.sum()), int(trials.sum()), len(trials)
    if not passages:
        return RecognitionRate(0, 0, 0, None, None)
    rate = found / passages
    if subjects < FEWEST_SUBJECTS:
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
