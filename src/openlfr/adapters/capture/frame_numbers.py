"""Numbers the frames of a file in the order of display, lost frames included."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream

    from openlfr.adapters.capture.packet_times import PacketTimes


class OnLost(Protocol):
    """Callback for frames that are numbered but cannot be decoded."""

    def __call__(self, first: int, count: int, *, at_beginning: bool) -> None:
        """Process the loss of `count` frames, numbered from `first` on."""
        ...


class _PacketInfo(NamedTuple):
    """Presentation time of a packet's frame, and whether decoding may begin with it."""

    time: int | None
    is_key: bool


class FrameNumbers:
    """Numbers the frames of one playback of a file.

    Frames that cannot be decoded have a number and a time too: the frames before a recording's
    first key frame, and the frames of damaged packets.

    Attributes:
        first: Presentation time at which the file's time is 0; None if the file has no times.
        next: Number of the next frame.
        readable_end: Number of the last decoded frame, plus one.
    """

    def __init__(self, on_lost: OnLost, times: PacketTimes | None = None) -> None:
        """Begin at number 0, or at the number that `times` has for the first decoded frame."""
        self._on_lost = on_lost
        self._times = times
        self._beginning: list[_PacketInfo] | None = [] if times is None else None
        self._damaged: list[int] = []  # presentation times of damaged packets, ascending
        self.first = times.frames[0] if times is not None else None
        self.next = self.readable_end = 0

    def record_packet(self, packet: Packet[VideoStream]) -> None:
        """Record a packet; callers pass packets in the order of decoding."""
        if self._beginning is not None and not packet.is_discard:
            self._beginning.append(_PacketInfo(packet.pts, packet.is_keyframe))

    def record_damaged(self, packet: Packet[VideoStream] | None) -> None:
        """Record a packet that cannot be decoded; `assign` numbers its frame before the next."""
        if packet is None:
            return
        if self._beginning is not None:
            return  # `assign` counts it among the frames missing at the beginning
        if packet.pts is not None:
            insort(self._damaged, packet.pts)
        elif not packet.is_discard:
            self._report_lost(1)

    def assign(self, picture: VideoFrame) -> int:
        """Return the next frame's number; callers pass frames in the order of display."""
        if self._beginning is not None:
            self.first, missing = _count_missing(picture, self._beginning)
            self._beginning = None
            if missing:
                self._on_lost(0, missing, at_beginning=True)
                self.next = missing
        if picture.pts is not None:
            before = sum(pts < picture.pts for pts in self._damaged)
            if before:
                del self._damaged[:before]
                self._report_lost(before)
            if self._times is not None and not self.readable_end:
                # Reading began at this frame; the following frames count up from its number.
                self.next = self._times.find_seq(picture.pts)
        self.next += 1
        self.readable_end = self.next
        return self.next - 1

    def end(self) -> None:
        """Report the damaged packets after the last frame; the file has ended."""
        if self._damaged:
            self._report_lost(len(self._damaged))

    def _report_lost(self, count: int) -> None:
        self._on_lost(self.next, count, at_beginning=False)
        self.next += count


def _count_missing(picture: VideoFrame, packets: list[_PacketInfo]) -> tuple[int | None, int]:
    """Return the file's start time, and the number of frames before the first decoded frame.

    The start time is None if packets lack times.


    A file begins with its first packet. Frames with an earlier presentation time than that packet
    belong to a part that was cut away, unless they can be decoded.
    """
    times = [packet.time for packet in packets if packet.time is not None]
    if picture.pts is not None and times and len(times) == len(packets):
        first = min(times[0], picture.pts)
        return first, sum(first <= time < picture.pts for time in times)
    return None, next((n for n, packet in enumerate(packets) if packet.is_key), 0)
