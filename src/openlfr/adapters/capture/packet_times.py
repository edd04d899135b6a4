"""Presentation times and key frames of a video file, read from its packets without decoding."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from openlfr.adapters.capture.formats import PRESENTED_AT_TIMES

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


class PacketTimes(NamedTuple):
    """Presentation times of a file's frames.

    Attributes:
        frames: Time of every frame in the order of display; the n-th is that of frame n.
        keys: Times of the key frames, ascending; decoding may begin at each.
        seeks: For each key frame the time to seek to. It is the decoding time, which most formats
            index; seeking to the presentation time can land on the next key frame.
    """

    frames: list[int]
    keys: list[int]
    seeks: list[int]

    def seek_for(self, seq: int) -> int:
        """The time to seek to so that frame `seq` can be decoded."""
        return self.seeks[bisect_right(self.keys, self.frames[seq]) - 1]

    def seq_of(self, time: int) -> int:
        """Number of the frame with this presentation time."""
        return bisect_left(self.frames, time)


def read_packet_times(container: InputContainer, stream: VideoStream) -> PacketTimes | None:
    """Read every packet without decoding it.

    Returns:
        None where packets do not match frames one to one (times missing, repeated, falling back
        or guessed, parts that an edit list discards, no key frame at the beginning). Only decoding
        then counts frames correctly.
    """
    if container.format.name in PRESENTED_AT_TIMES:
        return None
    latest: int | None = None
    second = 1 / stream.time_base if stream.time_base else 0
    frames: list[int] = []
    keys: list[tuple[int, int]] = []
    decoded_at: int | None = None
    for packet in container.demux(stream):
        if packet.size == 0:
            continue  # the flushing packet at the end
        if packet.pts is None or packet.is_discard or packet.is_corrupt:
            return None
        if decoded_at is not None and packet.dts is not None and packet.dts < decoded_at:
            return None
        if latest is not None and packet.pts < latest - second:
            return None  # one of the two times is wrong: no reordering spans a second
        latest = packet.pts if latest is None else max(latest, packet.pts)
        decoded_at = packet.dts
        frames.append(packet.pts)
        if packet.is_keyframe:
            keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
    ordered = sorted(frames)
    unique = all(a < b for a, b in pairwise(ordered))
    if frames == ordered and stream.codec_context.has_b_frames:
        return None
    if not unique or not keys or keys[0][0] != ordered[0]:
        return None
    keys.sort()
    return PacketTimes(ordered, [pts for pts, _ in keys], [dts for _, dts in keys])
