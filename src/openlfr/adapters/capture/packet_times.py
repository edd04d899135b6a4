"""When and where the frames of a video file lie, from its packets alone."""

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
        frames: Of every frame in the order of display: the n-th is frame n's.
        keys: Of the frames at which decoding may begin, ascending.
        seeks: For each of these the time to seek to: its decoding time, since that is what most
            formats index; seeking to the presentation time can land on the next key frame.
    """

    frames: list[int]
    keys: list[int]
    seeks: list[int]

    def seek_for(self, seq: int) -> int:
        """Where to seek so that frame `seq` can be decoded."""
        return self.seeks[bisect_right(self.keys, self.frames[seq]) - 1]

    def seq_of(self, time: int) -> int:
        """Number of the frame that is shown at this time."""
        return bisect_left(self.frames, time)


def read_packet_times(container: InputContainer, stream: VideoStream) -> PacketTimes | None:
    """Read every packet without decoding it.

    Returns:
        None where packets do not tell the frames one to one (times missing, double, falling back
        or guessed, parts that an edit list discards, no key frame at the beginning): then only
        decoding counts right.
    """
    if container.format.name in PRESENTED_AT_TIMES:
        return None
    latest: int | None = None
    far = 1 / stream.time_base if stream.time_base else 0
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
        if latest is not None and packet.pts < latest - far:
            return None  # one of them is wrong: no reordering reaches over a second
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
