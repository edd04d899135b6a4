"""Presentation times of the next frames, from packets that are read ahead."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import Packet
    from av.video.stream import VideoStream

_AHEAD = 16
"""Most packets by which H.264 and HEVC reorder frames."""
_AHEAD_BYTES = 4_000_000
_MOST_TIMES = 64
"""Older times are dropped: they belong to packets that show no frame."""


class UpcomingTimes:
    """Reads a few packets ahead, so that a frame's time can be compared with the next ones.

    Packets are small compared with frames. A damaged packet is still counted when it is decoded.
    """

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=_MOST_TIMES)

    def read_ahead(
        self, packets: Iterator[Packet[VideoStream] | None]
    ) -> Iterator[Packet[VideoStream] | None]:
        """Yield the packets in their order, each after the packets that follow it were read."""
        waiting: deque[Packet[VideoStream] | None] = deque()
        size = 0
        for packet in packets:
            waiting.append(packet)
            if packet is not None:
                size += packet.size
                if packet.pts is not None and not packet.is_discard:
                    self._times.append(packet.pts)
            while len(waiting) > _AHEAD or (size > _AHEAD_BYTES and len(waiting) > 1):
                first = waiting.popleft()
                size -= 0 if first is None else first.size
                yield first
        yield from waiting

    def remove(self, time: int | None) -> None:
        """Remove the presentation time of a frame that was decoded."""
        if time is not None and time in self._times:
            self._times.remove(time)

    def times(self) -> tuple[int, ...]:
        """Presentation times of frames that are not decoded yet."""
        return tuple(self._times)
