"""Detects a video file that was cut off: its data end before the end that its headers declare.

Only packets of the video stream count, since sound may be longer than the video. Frames are not
expected to equal duration times rate, since a recording that pauses while nothing moves has fewer.
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
_TOLERANCE_FRAMES, _TOLERANCE_SHARE, _MAX_TOLERANCE_S = 3, 0.02, 0.5
"""Tolerated difference at the end of an undamaged file (edit lists, rounded durations): three
frames, or a fiftieth of the duration up to half a second."""


@dataclass(frozen=True, slots=True)
class DeclaredLength:
    """The length that a video file's headers declare.

    Attributes:
        frames: Number of video frames; None if not declared.
        video_end_s: End of the video stream on the stream's own time scale, seconds.
        file_end_s: End of the longest stream, seconds.
        begin_s: Begin of the video stream, seconds.
    """

    frames: int | None = None
    video_end_s: float | None = None
    file_end_s: float | None = None
    begin_s: float = 0.0

    @property
    def duration_s(self) -> float | None:
        """The longest possible duration of the video stream; None if not declared."""
        end = self.file_end_s if self.video_end_s is None else self.video_end_s
        return None if end is None else max(0.0, end - self.begin_s)


def read_declared_length(
    container: InputContainer, stream: VideoStream, *, has_times: bool
) -> DeclaredLength:
    """Read the declared length from the headers; only the frame count if `has_times` is False."""
    frames = stream.frames or None
    if not has_times or not stream.time_base:
        return DeclaredLength(frames)
    tick = float(stream.time_base)
    begin_s = (stream.start_time or 0) * tick
    video_end_s = None
    if stream.duration:
        video_end_s = begin_s + stream.duration * tick
    elif clock := _CLOCK.match(stream.metadata.get("DURATION", "")):  # Matroska's tag of a stream
        video_end_s = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
    file_end_s = None
    if container.duration:
        file_end_s = ((container.start_time or 0) + container.duration) / av.time_base
    return DeclaredLength(frames, video_end_s, file_end_s, begin_s)


class ReadProgress:
    """Counts the packets read from a file, and records their latest end time.

    Attributes:
        packets: Number of video packets read.
    """

    def __init__(self, stream: VideoStream) -> None:
        """Count packets of `stream` as video packets."""
        self._stream = stream
        self.packets = 0
        self._video_end_s = self._file_end_s = 0.0
        self._newest_s: float | None = None  # time of the newest video frame
        self._spacing_s = 0.0  # distance of the newest two video frames

    def record_packet(self, packet: Packet[Any]) -> None:
        """Record a packet of any stream."""
        is_video = packet.stream is self._stream or packet.stream_index == self._stream.index
        self.packets += is_video
        timestamp = packet.dts if packet.pts is None else packet.pts
        if timestamp is None or not packet.time_base:
            return
        ticks = (timestamp, timestamp + (packet.duration or 0))
        begin_s, end_s = (float(t * packet.time_base) for t in ticks)
        self._file_end_s = max(self._file_end_s, end_s)
        if is_video:
            self._video_end_s = max(self._video_end_s, end_s)
            if self._newest_s is None or begin_s > self._newest_s:
                previous_s = begin_s if self._newest_s is None else self._newest_s
                self._spacing_s = begin_s - previous_s
                self._newest_s = begin_s

    def is_short_of(self, declared: DeclaredLength, frames: int, rate: float) -> bool:
        """Return whether the file ended, after `frames` frames, before its declared end.

        If frame count and time are both declared, both must be short: an edit list makes the count
        short, and a recorder that drops frames declares more frames than it wrote.
        """
        count = max(self.packets, frames)  # reading may have begun after the first packet
        are_short = []
        if declared.frames is not None:
            tolerance = max(_TOLERANCE_FRAMES, int(declared.frames * _TOLERANCE_SHARE))
            are_short.append(count + tolerance < declared.frames)
        declared_end_s, read_end_s = declared.video_end_s, self._video_end_s
        if declared_end_s is None:
            declared_end_s, read_end_s = declared.file_end_s, self._file_end_s
        if declared_end_s is not None:
            duration_s = declared_end_s - declared.begin_s
            frame_s = max(1 / rate, min(self._spacing_s, duration_s / max(count, 1)))
            share_s = min(duration_s * _TOLERANCE_SHARE, _MAX_TOLERANCE_S)
            tolerance_s = max(_TOLERANCE_FRAMES * frame_s, share_s)
            are_short.append(read_end_s + tolerance_s < declared_end_s)
        return bool(are_short) and all(are_short)
