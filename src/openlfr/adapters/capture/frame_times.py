"""Times of a file's frames: whole microseconds after its first frame.

A frame's time is its presentation time, as recorded. Frame number divided by average rate would be
wrong if the rate varies: by minutes in a recording that pauses while nothing moves. So the rate is
used only in three cases:

- a frame has no presentation time;
- the times do not rise (two recordings in one file, or a recorder whose clock was set back);
- a single time contradicts the following times. Such a time would shift all later frames.
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
_MAX_JITTER_US = _SECOND_US
"""A time that differs from the previous frame's time by more is no jitter."""


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Converts a stream's ticks and frame counts to microseconds.

    Attributes:
        tick: Duration of one unit of the presentation times, seconds.
        rate: Frames per second, for frames without a presentation time.
        has_times: Whether times come from the file, not from the library's guess.
        has_presentation_times: False for formats with decoding times only, such as AVI.
    """

    tick: Fraction
    rate: Fraction
    has_times: bool = True
    has_presentation_times: bool = True

    def microseconds(self, ticks: int) -> int:
        """Convert ticks to microseconds, rounded to the nearest."""
        return round(ticks * self.tick * _SECOND_US)

    def frames_to_us(self, frames: int) -> int:
        """Return the duration of a number of frames at the average rate, microseconds."""
        return round(frames * _SECOND_US / self.rate)

    @property
    def tick_us(self) -> int:
        """Duration of one tick, microseconds; at least 1."""
        return max(1, self.microseconds(1))


def read_time_scale(
    stream: VideoStream, *, has_times: bool, has_presentation_times: bool = True
) -> TimeScale:
    """Read tick and rate from a file's stream.

    The library assumes 25 frames per second for every raw stream. The rate in the codec's header
    is correct, so this rate has priority for raw streams.
    """
    own = getattr(stream.codec_context, "framerate", None)
    rates = (stream.average_rate, stream.guessed_rate)
    candidates = rates if has_times else (own, *rates)
    rate = next((r for r in candidates if r and r > 0), _DEFAULT_RATE)
    tick = stream.time_base or Fraction(1, 90_000)
    return TimeScale(Fraction(tick), Fraction(rate), has_times, has_presentation_times)


def read_ticks(picture: VideoFrame, scale: TimeScale) -> int | None:
    """Return a frame's presentation time in ticks, or its decoding time for formats such as AVI.

    For AVI the library guesses the presentation time, and is wrong if frames are reordered. The
    decoding time rises steadily, since frames leave the decoder in the order of display.
    """
    if scale.has_presentation_times and picture.pts is not None:
        return picture.pts
    return picture.dts


class FrameClock:
    """Times the frames of one playback of a file; frames come in the order of display."""

    def __init__(self, scale: TimeScale, first: int | None) -> None:
        """Begin at 0.

        Args:
            scale: Time scale of the stream.
            first: Presentation time of the file's first frame, decodable or not. If None, the
                first frame with a time sets it.
        """
        self._scale = scale
        self._first = first
        self._anchor = (0, 0)  # index and microseconds of the last frame with a usable time
        self._shift_us = 0
        self._last_us: int | None = None

    def time(self, index: int, ticks: int | None, upcoming: Sequence[int] = ()) -> int:
        """Return the time from the file's first frame to this frame, microseconds.

        Args:
            index: Number of the frame in the file; it rises from call to call.
            ticks: Presentation time of the frame; None if the frame has none.
            upcoming: Presentation times of later frames.
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
            and timestamp_us <= last_us - _MAX_JITTER_US
        ):
            # Another recording begins, or the recorder's clock was set back: continue from the
            # last time.
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
        """Return whether a time is far from the last time, and upcoming times contradict it.

        After a pause in a recording, no upcoming time is in the gap. After the begin of another
        recording, upcoming times do not return to the times of the first.
        """
        jitter_us = timestamp_us - last_us
        if -_MAX_JITTER_US < jitter_us <= _MAX_JITTER_US or self._first is None:
            return False
        later_us = [
            self._scale.microseconds(ticks - self._first) + self._shift_us for ticks in upcoming
        ]
        if timestamp_us > last_us:
            return any(last_us < later <= timestamp_us - _MAX_JITTER_US for later in later_us)
        return sum(later > last_us for later in later_us) * 2 > len(later_us)

    def _to_us(self, index: int, ticks: int | None) -> int | None:
        if ticks is None or not self._scale.has_times:
            return None
        if self._first is None:
            self._first = ticks
            self._shift_us = self._scale.frames_to_us(index)
        return self._scale.microseconds(ticks - self._first) + self._shift_us
