"""Chooses the frames of a source to analyse if `fps` is lower than the source's rate."""

from __future__ import annotations

from fractions import Fraction

_SECOND_US = 1_000_000
_SLACK_US = 2_000
"""A frame that is at most so much earlier than its slot counts as on time: formats round times to
a millisecond, so that every other frame of 30 a second would miss one of 15 by a third of it."""
_NEARLY = 0.9


class ClockSampling:
    """Chooses frames of a live camera: those nearest to a beat of 1/`fps` seconds.

    Frames come early and late. A frame that is early by up to half the usual distance between
    frames (a running mean) counts as on time.
    """

    def __init__(self, fps: float | None) -> None:
        """Choose `fps` frames a second; None for every frame."""
        self._beat_s = None if fps is None else 1 / fps
        self._due: float | None = None
        self._previous: float | None = None
        self._distance_s = 0.0

    def takes(self, at: float) -> bool:
        """Whether to analyse the frame that came at `at`, in seconds of any steady clock."""
        if self._beat_s is None:
            return True
        if self._previous is not None:
            distance_s = min(at - self._previous, self._beat_s)
            change_s = (distance_s - self._distance_s) / 8
            self._distance_s += change_s if self._distance_s else distance_s
        self._previous = at
        if self._due is not None and at < self._due - self._distance_s / 2:
            return False
        late = self._due is None or at - self._due > self._beat_s
        self._due = (at if late or self._due is None else self._due) + self._beat_s
        return True


class FileSampling:
    """Chooses frames of a file: the first of each slot of 1/`fps` seconds.

    The choice depends on the times of this frame and of the previous one, both from the file. So
    it is the same from whichever frame the file is played, whenever it was filmed, and on every
    machine. Integers and fractions keep rounding from moving a frame into another slot. A frame
    that comes nearly a whole slot after the previous one is always chosen: a film of 25 frames a
    second with jitter in its times gives 25.
    """

    def __init__(self, fps: float | None, tick_us: int = 1) -> None:
        """Choose `fps` frames a second.

        Args:
            fps: Frames a second; None for every frame.
            tick_us: Resolution of the file's times, microseconds.
        """
        ratio = None if fps is None else Fraction(fps).limit_denominator(10_000)
        self._ratio = None if ratio is None else (ratio.numerator, ratio.denominator * _SECOND_US)
        self._slack_us = min(tick_us, _SLACK_US)

    def takes(self, at_us: int, before_us: int | None) -> bool:
        """Whether to analyse a frame.

        Args:
            at_us: Time of the frame.
            before_us: Time of the previous frame; None for the first.
        """
        if self._ratio is None or before_us is None:
            return True
        frames, microseconds = self._ratio
        if (at_us - before_us) * frames >= _NEARLY * microseconds:
            return True
        slot, before = ((us + self._slack_us) * frames // microseconds for us in (at_us, before_us))
        return slot > before
