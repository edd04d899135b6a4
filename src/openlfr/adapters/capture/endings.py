"""Where a video file should end, and whether it did: a file that was cut off is said to be.

It is judged by the picture's own packets: sound may go on for longer, and a recording that pauses
while nothing moves has fewer frames than its length times its rate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.stream import VideoStream

_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_FEW_FRAMES, _FEW, _FEW_S = 3, 0.02, 0.5
"""So many may be missing at the end of a sound file (edit lists, rounded durations): three frames,
or a fiftieth, which is at most half a second."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file says of its own length.

    Attributes:
        frames: How many frames its picture has; None where it does not say.
        picture_s: When its picture ends, on its own time scale, seconds.
        whole_s: When the longest of all its streams ends.
        begins_s: When its picture begins.
    """

    frames: int | None = None
    picture_s: float | None = None
    whole_s: float | None = None
    begins_s: float = 0.0

    @property
    def lasts_s(self) -> float | None:
        """From its first to its last moment, at the most; None where it does not say."""
        end = self.whole_s if self.picture_s is None else self.picture_s
        return None if end is None else max(0.0, end - self.begins_s)


def expected_of(container: InputContainer, stream: VideoStream, *, timed: bool) -> Expected:
    """Read it from the file's headers; nothing of a stream without times."""
    frames = stream.frames or None
    if not timed or not stream.time_base:
        return Expected(frames)
    tick = float(stream.time_base)
    begins_s = (stream.start_time or 0) * tick
    picture_s = None
    if stream.duration:
        picture_s = begins_s + stream.duration * tick
    elif clock := _CLOCK.match(stream.metadata.get("DURATION", "")):  # Matroska, for each stream
        picture_s = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
    whole_s = None
    if container.duration:
        whole_s = ((container.start_time or 0) + container.duration) / av.time_base
    return Expected(frames, picture_s, whole_s, begins_s)


class Seen:
    """How far a file's packets went."""

    def __init__(self, stream: VideoStream) -> None:
        """Nothing was read yet."""
        self._stream = stream
        self.packets = 0
        """Of the picture."""
        self._picture_s = self._whole_s = 0.0
        self._newest_s: float | None = None  # of the picture
        self._spacing_s = 0.0  # between its newest two frames

    def note(self, packet: Packet[Any]) -> None:
        """A packet was read, of the picture or of another stream."""
        ours = packet.stream is self._stream or packet.stream_index == self._stream.index
        self.packets += ours
        at = packet.dts if packet.pts is None else packet.pts
        if at is None or not packet.time_base:
            return
        begin, end = (float(t * packet.time_base) for t in (at, at + (packet.duration or 0)))
        self._whole_s = max(self._whole_s, end)
        if ours:
            self._picture_s = max(self._picture_s, end)
            if self._newest_s is None or begin > self._newest_s:
                self._spacing_s = begin - (begin if self._newest_s is None else self._newest_s)
                self._newest_s = begin

    def is_short_of(self, expected: Expected, frames: int, rate: float) -> bool:
        """Whether the file ended before its end, after so many frames.

        Count and time must both say so where both are known: an edit list leaves packets out of
        the count, and a recorder that drops frames counts more than it wrote.
        """
        count = max(self.packets, frames)  # packets before the one that was begun with are unseen
        said = []
        if expected.frames is not None:
            few = max(_FEW_FRAMES, int(expected.frames * _FEW))
            said.append(count + few < expected.frames)
        for end, seen in (
            (expected.picture_s, self._picture_s),
            (None if expected.picture_s is not None else expected.whole_s, self._whole_s),
        ):
            if end is not None:
                lasts_s = end - expected.begins_s
                frame_s = max(1 / rate, min(self._spacing_s, lasts_s / max(count, 1)))
                few_s = max(_FEW_FRAMES * frame_s, min(lasts_s * _FEW, _FEW_S))
                said.append(seen + few_s < end)
        return bool(said) and all(said)
