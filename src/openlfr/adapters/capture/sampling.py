"""Chooses the frames of a source to analyse if `fps` is lower than the source's rate."""

from __future__ import annotations

from fractions import Fraction

_SECOND_US = 1_000_000
_SLACK_US = 2_000
"""Tolerance for frames that come before their slot, since formats round times to a millisecond.
At 30 frames per second sampled at 15, every other frame is a third of a millisecond early."""
_NEARLY = 0.9  # fraction of a slot after which a frame is chosen anyway


class ClockSampling:
    """Chooses frames of a live camera: the frames closest to a beat of 1/`fps` seconds.

    Frames arrive early or late. A frame counts as on time if it is early by at most half the usual
    distance between frames (a running mean).
    """

    def __init__(self, fps: float | None) -> None:
        """Choose `fps` frames per second; None for every frame."""
        self._beat_s = None if fps is None else 1 / fps
        self._next_beat: float | None = None
        self._previous: float | None = None
        self._distance_s = 0.0

    def should_analyse(self, at: float) -> bool:
        """Return whether to analyse the frame that arrived at `at`, seconds of a steady clock."""
        if self._beat_s is None:
            return True
        if self._previous is not None:
            distance_s = min(at - self._previous, self._beat_s)
            change_s = (distance_s - self._distance_s) / 8
            self._distance_s += change_s if self._distance_s else distance_s
        self._previous = at
        if self._next_beat is not None and at < self._next_beat - self._distance_s / 2:
            return False
        is_late = self._next_beat is None or at - self._next_beat > self._beat_s
        beat = at if is_late or self._next_beat is None else self._next_beat
        self._next_beat = beat + self._beat_s
        return True


class FileSampling:
    """Chooses frames of a file: the first frame of each slot of 1/`fps` seconds.

    The choice depends only on the times that the file records for a frame and the frame before it.
    So it does not depend on the machine, the date of the film, or the frame at which reading
    begins. Integers and fractions are used, since rounding could move a frame to another slot. A
    frame that follows the previous frame after nearly a whole slot is always chosen, so that a film
    of 25 frames per second with jitter in its times yields 25 for `fps` 25.
    """

    def __init__(self, fps: float | None, tick_us: int = 1) -> None:
        """Choose `fps` frames per second.

        Args:
            fps: Frames per second; None for every frame.
            tick_us: Resolution of the file's times, microseconds.
        """
        ratio = None if fps is None else Fraction(fps).limit_denominator(10_000)
        self._ratio = None if ratio is None else (ratio.numerator, ratio.denominator * _SECOND_US)
        self._slack_us = min(tick_us, _SLACK_US)

    def should_analyse(self, at_us: int, previous_us: int | None) -> bool:
        """Return whether to analyse a frame.

        Args:
            at_us: Time of the frame.
            previous_us: Time of the previous frame; None for the first frame.
        """
        if self._ratio is None or previous_us is None:
            return True
        frames, microseconds = self._ratio
        if (at_us - previous_us) * frames >= _NEARLY * microseconds:
            return True
        slot, previous_slot = (
            (us + self._slack_us) * frames // microseconds for us in (at_us, previous_us)
        )
        return slot > previous_slot
