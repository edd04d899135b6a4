"""Presentation times of the next frames, from packets that are read ahead."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import Packet
    from av.video.stream import VideoStream

_MAX_AHEAD = 16
"""Packets to read ahead: H.264 and HEVC reorder frames by no more."""
_MAX_AHEAD_BYTES = 4_000_000
_MAX_TIMES = 64
"""Older times are discarded: they belong to packets without a visible frame."""


class UpcomingTimes:
    """Reads a few packets ahead, so that a frame's time can be compared with the next times.

    Packets are small compared with frames. Reading ahead does not change the count of damaged
    packets, since damage is counted at the decoding.
    """

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=_MAX_TIMES)

    def read_ahead(
        self, packets: Iterator[Packet[VideoStream] | None]
    ) -> Iterator[Packet[VideoStream] | None]:
        """Yield the packets in order, each after the next packets were read."""
        waiting: deque[Packet[VideoStream] | None] = deque()
        size = 0
        for packet in packets:
            waiting.append(packet)
            if packet is not None:
                size += packet.size
                if packet.pts is not None and not packet.is_discard:
                    self._times.append(packet.pts)
            while len(waiting) > _MAX_AHEAD or (size > _MAX_AHEAD_BYTES and len(waiting) > 1):
                first = waiting.popleft()
                size -= 0 if first is None else first.size
                yield first
        yield from waiting

    def remove(self, time: int | None) -> None:
        """Remove the presentation time of a decoded frame."""
        if time is not None and time in self._times:
            self._times.remove(time)

    def times(self) -> tuple[int, ...]:
        """Return the presentation times of frames that are not decoded yet."""
        return tuple(self._times)
