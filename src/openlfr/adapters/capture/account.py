"""What a source did not yield, and why."""

from __future__ import annotations

from fractions import Fraction

_SENTENCES_KEPT = 100


class Account:
    """Counts of frames left out; every source keeps one, so that nothing vanishes silently."""

    def __init__(self) -> None:
        self.sampled_away = 0
        self.unreadable = 0
        self.problems: list[str] = []

    def lost(self, frames: int, why: str) -> None:
        """Count unreadable frames; the first hundred distinct reasons are kept."""
        self.unreadable += frames
        if why not in self.problems and len(self.problems) < _SENTENCES_KEPT:
            self.problems.append(why)


class Sampling:
    """Which frames of a file are looked at: the first of each slot of 1/wanted seconds.

    Slot of frame `seq` = floor(seq * wanted / own). The choice hangs on seq alone, so that it is
    the same from whichever frame the file is played, and on every machine. Exact arithmetic: no
    frame slips from one slot to the next by rounding.
    """

    def __init__(self, wanted: float | None, own: float | None) -> None:
        self._ratio: Fraction | None = None
        if wanted is not None and own is not None and wanted < own:
            self._ratio = Fraction(wanted).limit_denominator(10_000) / Fraction(
                own
            ).limit_denominator(10_000)

    def takes(self, seq: int) -> bool:
        """Whether the frame is looked at."""
        if self._ratio is None or seq == 0:
            return True
        return int(seq * self._ratio) > int((seq - 1) * self._ratio)
