"""Numbers the frames of a file in the order in which they are shown, the lost ones too."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream

    from openlfr.adapters.capture.packet_times import PacketTimes


class OnLost(Protocol):
    """What is called with frames that have a number and cannot be decoded."""

    def __call__(self, first: int, count: int, *, at_beginning: bool) -> None:
        """`count` frames from number `first` on."""
        ...


class _Place(NamedTuple):
    """Of a packet: when its frame is shown, and whether decoding may begin with it."""

    time: int | None
    is_key: bool


class FrameNumbers:
    """The numbers of one round of a file.

    A recording that begins before a key frame has frames that nobody can see. They are there, take
    their time and have their numbers; so has one whose packet is damaged.

    Attributes:
        first: Presentation time from which the file's time counts; None where it has none.
        next: Number of the frame after the last one.
        readable: One more than the number of the last frame that could be decoded.
    """

    def __init__(self, lost: OnLost, times: PacketTimes | None = None) -> None:
        """Begin at 0, or where `times` says that the first frame lies."""
        self._lost = lost
        self._times = times
        self._beginning: list[_Place] | None = [] if times is None else None
        self._damaged: list[int] = []  # presentation times of packets, ascending
        self.first = times.frames[0] if times is not None else None
        self.next = self.readable = 0

    def read(self, packet: Packet[VideoStream]) -> None:
        """A packet was read, in the order of decoding."""
        if self._beginning is not None and not packet.is_discard:
            self._beginning.append(_Place(packet.pts, packet.is_keyframe))

    def damaged(self, packet: Packet[VideoStream] | None) -> None:
        """A packet cannot be decoded; its number is known once a later frame is shown."""
        if packet is None:
            return
        if self._beginning is not None:
            return  # counted with what is missing at the beginning
        if packet.pts is not None:
            insort(self._damaged, packet.pts)
        elif not packet.is_discard:
            self._lose(1)

    def of(self, picture: VideoFrame) -> int:
        """The number of a frame; they come in the order of display."""
        if self._beginning is not None:
            self.first, missing = _beginning(picture, self._beginning)
            self._beginning = None
            if missing:
                self._lost(0, missing, at_beginning=True)
                self.next = missing
        if picture.pts is not None:
            before = sum(pts < picture.pts for pts in self._damaged)
            if before:
                del self._damaged[:before]
                self._lose(before)
            if self._times is not None and not self.readable:
                # Where reading began; from there on they count as they do from the beginning.
                self.next = self._times.seq_of(picture.pts)
        self.next += 1
        self.readable = self.next
        return self.next - 1

    def end(self) -> None:
        """The file is over: what is damaged and was followed by no frame is counted now."""
        if self._damaged:
            self._lose(len(self._damaged))

    def _lose(self, count: int) -> None:
        self._lost(self.next, count, at_beginning=False)
        self.next += count


def _beginning(picture: VideoFrame, packets: list[_Place]) -> tuple[int | None, int]:
    """When the file begins, and how many frames should have been shown before the first that is.

    It begins with its first packet. One that is to be shown before that packet belongs to what was
    cut away, unless it can be seen.
    """
    times = [packet.time for packet in packets if packet.time is not None]
    if picture.pts is not None and times and len(times) == len(packets):
        first = min(times[0], picture.pts)
        return first, sum(first <= time < picture.pts for time in times)
    return None, next((n for n, packet in enumerate(packets) if packet.is_key), 0)
