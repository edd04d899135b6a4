"""When the frames of a file are shown: whole microseconds after its first one.

Presentation times are what the film was recorded with. An index over the average rate is wrong by
as much as the rate varies: by minutes in a recording that pauses while nothing moves. So a rate is
used only where there is no presentation time, or where it does not rise (two recordings in one
file, a recorder that was set back), or where a single time contradicts those that follow: one wrong
time would otherwise move all frames after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av import VideoFrame
    from av.video.stream import VideoStream

_SECOND = 1_000_000
_USUAL_RATE = Fraction(25)  # where a file says none at all: as the library itself assumes
_SLACK_US = 2_000
"""At most so much earlier than its beat a frame counts as on time: formats round times to a
millisecond, so that every other frame of 30 a second would miss one of 15 by a third of it."""
_FELL_BACK_US = _SECOND
"""A time that is so much earlier than that of the frame before is no jitter."""
_NEARLY = 0.9


@dataclass(frozen=True, slots=True)
class TimeScale:
    """How a stream's numbers become time.

    Attributes:
        tick: Seconds that one unit of its presentation times lasts.
        rate: Frames a second where no presentation time says it.
        timed: Whether its presentation times are its own, and not made up by the library.
        presented: Whether it has presentation times at all; AVI has decoding times alone.
    """

    tick: Fraction
    rate: Fraction
    timed: bool = True
    presented: bool = True

    def microseconds(self, ticks: int) -> int:
        """So many ticks, rounded to the nearest microsecond."""
        return round(ticks * self.tick * _SECOND)

    def of_frames(self, frames: int) -> int:
        """So many frames at the rate, microseconds."""
        return round(frames * _SECOND / self.rate)

    @property
    def tick_us(self) -> int:
        """One tick, at least a microsecond."""
        return max(1, self.microseconds(1))


def time_scale_of(stream: VideoStream, *, timed: bool, presented: bool = True) -> TimeScale:
    """How a file's stream says its times.

    A raw stream is read at 25 a second whatever it is; the rate in its own header is right.
    """
    own = getattr(stream.codec_context, "framerate", None)
    rates = (stream.average_rate, stream.guessed_rate)
    rate = next((r for r in (rates if timed else (own, *rates)) if r and r > 0), _USUAL_RATE)
    tick = stream.time_base or Fraction(1, 90_000)
    return TimeScale(Fraction(tick), Fraction(rate), timed, presented)


def ticks_of(picture: VideoFrame, scale: TimeScale) -> int | None:
    """A frame's presentation time in ticks; where a format has none (AVI), its decoding time.

    That is as steady: frames come out of the decoder in the order in which they are shown. What the
    library gives as the presentation time of such a frame is guessed, and wrong where frames are
    reordered.
    """
    return picture.pts if scale.presented and picture.pts is not None else picture.dts


class FrameClock:
    """Gives each frame of one round of a file its time; frames come in the order of display."""

    def __init__(self, scale: TimeScale, first: int | None) -> None:
        """Begin at 0.

        Args:
            scale: Of the stream.
            first: Presentation time of the file's first frame, also of one that cannot be
                decoded; None where that is not known, so that the first one given counts.
        """
        self._scale = scale
        self._first = first
        self._anchor = (0, 0)  # index and microseconds of the last frame that said its time
        self._shift = 0
        self._last: int | None = None  # microseconds

    def at(self, index: int, ticks: int | None, coming: Sequence[int] = ()) -> int:
        """Microseconds from the file's first frame to this one.

        Args:
            index: Of the frame in the file, rising.
            ticks: Its presentation time; None where it has none.
            coming: Presentation times of frames that are shown later.
        """
        said, last = self._said(index, ticks), self._last
        if said is not None and last is not None and self._is_alone(said, last, coming):
            said = None
        if said is not None and last is not None and said <= last - _FELL_BACK_US:
            # Another recording follows, or the recorder was set back: from here it goes on.
            at = last + self._scale.of_frames(1)
            self._shift += at - said
            said = at
        if said is not None and (last is None or said > last):
            self._anchor = index, said
            self._last = said
        elif said is not None and last is not None:  # said twice: the next one says it better
            self._last = last + max(1, self._scale.of_frames(1) // 2)
        else:
            since, at = self._anchor
            self._last = at + self._scale.of_frames(index - since)
            if last is not None:
                self._last = max(self._last, last + 1)
        return self._last

    def _is_alone(self, said: int, last: int, coming: Sequence[int]) -> bool:
        """Whether a time is far from that of the frame before, and those to come are not there.

        A recording with a pause has none between; one that begins anew is not returned from.
        """
        if last - _FELL_BACK_US < said <= last + _FELL_BACK_US or self._first is None:
            return False
        later = [self._scale.microseconds(ticks - self._first) + self._shift for ticks in coming]
        if said > last:
            return any(last < at <= said - _FELL_BACK_US for at in later)
        return sum(at > last for at in later) * 2 > len(later)

    def _said(self, index: int, ticks: int | None) -> int | None:
        if ticks is None or not self._scale.timed:
            return None
        if self._first is None:
            self._first = ticks
            self._shift = self._scale.of_frames(index)
        return self._scale.microseconds(ticks - self._first) + self._shift


class Sampling:
    """Which frames of a file are looked at: the first of each slot of 1/wanted seconds.

    The choice hangs on the frame's time and that of the one before, both from the file, so that it
    is the same from whichever frame the file is played, whenever it was filmed, and on every
    machine. Integers and fractions: no frame slips into another slot by rounding. A frame that
    comes nearly a whole beat after the one before is looked at in any case: a film of 25 a second
    whose times tremble gives 25.
    """

    def __init__(self, wanted: float | None, tick_us: int = 1) -> None:
        """Prepare.

        Args:
            wanted: Frames a second; None for every one.
            tick_us: As exact as the file says its times.
        """
        ratio = None if wanted is None else Fraction(wanted).limit_denominator(10_000)
        self._wanted = None if ratio is None else (ratio.numerator, ratio.denominator * _SECOND)
        self._slack_us = min(tick_us, _SLACK_US)

    def takes(self, at_us: int, before_us: int | None) -> bool:
        """Whether a frame is looked at.

        Args:
            at_us: Its time.
            before_us: Of the frame before it; None for the first.
        """
        if self._wanted is None or before_us is None:
            return True
        beats, microseconds = self._wanted
        if (at_us - before_us) * beats >= _NEARLY * microseconds:
            return True
        slot, before = ((us + self._slack_us) * beats // microseconds for us in (at_us, before_us))
        return slot > before
