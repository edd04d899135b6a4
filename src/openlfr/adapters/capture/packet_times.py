"""Presentation times and key frames of a video file, read from its packets without decoding."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from openlfr.adapters.capture.formats import FORMATS_WITH_SPARSE_TIMES

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


class PacketTimes(NamedTuple):
    """Presentation times of a file's frames.

    Attributes:
        frames: Times of all frames in the order of display; element n is the time of frame n.
        keys: Times of the key frames, ascending; decoding may begin at each key frame.
        seeks: Time to seek to for each key frame. It is the decoding time, by which most formats
            are indexed; seeking to the presentation time can end at the next key frame.
    """

    frames: list[int]
    keys: list[int]
    seeks: list[int]

    def find_seek_time(self, seq: int) -> int:
        """Return the time to seek to before decoding frame `seq`."""
        return self.seeks[bisect_right(self.keys, self.frames[seq]) - 1]

    def find_seq(self, time: int) -> int:
        """Return the number of the frame with this presentation time."""
        return bisect_left(self.frames, time)


def read_packet_times(container: InputContainer, stream: VideoStream) -> PacketTimes | None:
    """Read the times of all packets without decoding them.

    Returns:
        None if packets do not match frames one to one, so that only decoding counts frames
        correctly. The reasons are times that are missing, repeated, falling or guessed, parts
        that an edit list discards, and a first frame that is no key frame.
    """
    if container.format.name in FORMATS_WITH_SPARSE_TIMES:
        return None
    latest: int | None = None
    second = 1 / stream.time_base if stream.time_base else 0
    frames: list[int] = []
    keys: list[tuple[int, int]] = []
    decoded_at: int | None = None
    for packet in container.demux(stream):
        if packet.size == 0:
            continue  # the last packet, which only flushes the decoder
        if packet.pts is None or packet.is_discard or packet.is_corrupt:
            return None
        if decoded_at is not None and packet.dts is not None and packet.dts < decoded_at:
            return None
        if latest is not None and packet.pts < latest - second:
            return None  # one of the two times is wrong: frames are not reordered over a second
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
