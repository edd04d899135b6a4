"""Times of a file's frames: whole microseconds after its first frame.

A frame's time is its presentation time, as recorded. Frame number over average rate is wrong by as
much as the rate varies: by minutes in a recording that pauses while nothing moves. So the rate is
used only where a frame has no presentation time, where the times do not rise (two recordings in
one file, a recorder whose clock was set back), or where a single time contradicts the following
ones: one wrong time would otherwise shift all frames after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av import VideoFrame
    from av.video.stream import VideoStream

_SECOND_US = 1_000_000
_DEFAULT_RATE = Fraction(25)  # for files without any rate, as the library assumes
_FELL_BACK_US = _SECOND_US
"""A time that is earlier than the previous frame's by so much is no jitter."""


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Converts a stream's ticks and frame counts to microseconds.

    Attributes:
        tick: Duration of one unit of its presentation times, seconds.
        rate: Frames a second, for frames without a presentation time.
        timed: Whether the presentation times come from the file, not from the library's guess.
        presented: Whether the format has presentation times; AVI has only decoding times.
    """

    tick: Fraction
    rate: Fraction
    timed: bool = True
    presented: bool = True

    def microseconds(self, ticks: int) -> int:
        """Convert ticks to microseconds, rounded to the nearest."""
        return round(ticks * self.tick * _SECOND_US)

    def frames_to_us(self, frames: int) -> int:
        """Convert a number of frames at the rate to microseconds."""
        return round(frames * _SECOND_US / self.rate)

    @property
    def tick_us(self) -> int:
        """Duration of one tick, at least a microsecond."""
        return max(1, self.microseconds(1))


def read_time_scale(stream: VideoStream, *, timed: bool, presented: bool = True) -> TimeScale:
    """Read tick and rate from a file's stream.

    The library reads every raw stream at 25 frames a second; the rate in its header is right.
    """
    own = getattr(stream.codec_context, "framerate", None)
    rates = (stream.average_rate, stream.guessed_rate)
    rate = next((r for r in (rates if timed else (own, *rates)) if r and r > 0), _DEFAULT_RATE)
    tick = stream.time_base or Fraction(1, 90_000)
    return TimeScale(Fraction(tick), Fraction(rate), timed, presented)


def read_ticks(picture: VideoFrame, scale: TimeScale) -> int | None:
    """Return a frame's presentation time in ticks; its decoding time if the format has none (AVI).

    The decoding time is as steady: frames leave the decoder in the order of display. The library's
    presentation time of such a frame is a guess, and wrong where frames are reordered.
    """
    return picture.pts if scale.presented and picture.pts is not None else picture.dts


class FrameClock:
    """Times the frames of one round of a file; frames come in the order of display."""

    def __init__(self, scale: TimeScale, first: int | None) -> None:
        """Begin at 0.

        Args:
            scale: Time scale of the stream.
            first: Presentation time of the file's first frame, decodable or not; None if unknown,
                so that the first frame with a time counts.
        """
        self._scale = scale
        self._first = first
        self._anchor = (0, 0)  # index and microseconds of the last frame with a usable time
        self._shift_us = 0
        self._last_us: int | None = None

    def time(self, index: int, ticks: int | None, upcoming: Sequence[int] = ()) -> int:
        """Return the microseconds from the file's first frame to this frame.

        Args:
            index: Number of the frame in the file, rising.
            ticks: Presentation time of the frame; None without.
            upcoming: Presentation times of frames that are shown later.
        """
        timestamp_us, last_us = self._to_us(index, ticks), self._last_us
        if (
            timestamp_us is not None
            and last_us is not None
            and self._is_outlier(timestamp_us, last_us, upcoming)
        ):
            timestamp_us = None
        if (
            timestamp_us is not None
            and last_us is not None
            and timestamp_us <= last_us - _FELL_BACK_US
        ):
            # Another recording follows, or the recorder was set back: continue from the last time.
            continued_us = last_us + self._scale.frames_to_us(1)
            self._shift_us += continued_us - timestamp_us
            timestamp_us = continued_us
        if timestamp_us is not None and (last_us is None or timestamp_us > last_us):
            self._anchor = index, timestamp_us
            self._last_us = timestamp_us
        elif timestamp_us is not None and last_us is not None:
            # A repeated time: add half a frame, and let the next frame's own time correct it.
            self._last_us = last_us + max(1, self._scale.frames_to_us(1) // 2)
        else:
            anchor_index, anchor_us = self._anchor
            self._last_us = anchor_us + self._scale.frames_to_us(index - anchor_index)
            if last_us is not None:
                self._last_us = max(self._last_us, last_us + 1)
        return self._last_us

    def _is_outlier(self, timestamp_us: int, last_us: int, upcoming: Sequence[int]) -> bool:
        """Whether a time is far from the previous frame's, and upcoming times contradict it.

        After a pause in a recording, no upcoming time lies in the gap. After a new recording has
        begun, upcoming times do not return to the old one.
        """
        if last_us - _FELL_BACK_US < timestamp_us <= last_us + _FELL_BACK_US or self._first is None:
            return False
        later_us = [
            self._scale.microseconds(ticks - self._first) + self._shift_us for ticks in upcoming
        ]
        if timestamp_us > last_us:
            return any(last_us < later <= timestamp_us - _FELL_BACK_US for later in later_us)
        return sum(later > last_us for later in later_us) * 2 > len(later_us)

    def _to_us(self, index: int, ticks: int | None) -> int | None:
        if ticks is None or not self._scale.timed:
            return None
        if self._first is None:
            self._first = ticks
            self._shift_us = self._scale.frames_to_us(index)
        return self._scale.microseconds(ticks - self._first) + self._shift_us
