"""The true recognition rate (TPIR) of a report, from passages of control subjects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecognitionRate:
    """The recognition rate under one model, set of rules and threshold.

    Attributes:
        numbers: Numbers of the baselines; (0,) for passages without a recorded baseline.
        found, missed, unknown: Numbers of passages.
        subjects: Number of control subjects.
        lowest, highest: Lowest and highest possible rate, which differ if a result is unknown; None
            with too few subjects.
        interval_low, interval_high: Ends of the 95% interval; None with too few subjects.
    """

    numbers: tuple[int, ...]
    found: int
    missed: int
    unknown: int
    subjects: int
    lowest: float | None = None
    highest: float | None = None
    interval_low: float | None = None
    interval_high: float | None = None

    @property
    def passages(self) -> int:
        """Number of logged passages."""
        return self.found + self.missed + self.unknown


@dataclass(frozen=True, slots=True)
class Recognition:
    """All planned passages of a deployment.

    Attributes:
        planned: Number of plans, including deleted plans.
        not_logged: Number of plans without a logged walk.
        altered: Number of passages whose rows differ from their acts; they are in no rate.
        upper_bound: Why the rate is an upper bound for listed people, as the end of a sentence;
            empty if photos and quality do not favour the control subjects.
    """

    planned: int
    not_logged: int
    altered: int
    upper_bound: str
    rates: tuple[RecognitionRate, ...]
