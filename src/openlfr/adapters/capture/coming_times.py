"""Presentation times of the frames that come next, from packets that were read ahead."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import Packet
    from av.video.stream import VideoStream

_AHEAD = 16
"""As many packets as a frame may come before another one that is shown earlier (H.264, HEVC)."""
_AHEAD_BYTES = 4_000_000
_UNSHOWN = 64
"""More than that are not behind: what is older belongs to a packet that shows nothing."""


class ComingTimes:
    """Reads a few packets ahead, so that a frame's time can be compared with those that follow.

    Packets are small beside frames, and one whose frame is damaged is still counted where it is
    decoded.
    """

    def __init__(self) -> None:
        self._unshown: deque[int] = deque(maxlen=_UNSHOWN)

    def ahead(
        self, packets: Iterator[Packet[VideoStream] | None]
    ) -> Iterator[Packet[VideoStream] | None]:
        """Yield the packets as they come; those that follow were read before."""
        waiting: deque[Packet[VideoStream] | None] = deque()
        size = 0
        for packet in packets:
            waiting.append(packet)
            if packet is not None:
                size += packet.size
                if packet.pts is not None and not packet.is_discard:
                    self._unshown.append(packet.pts)
            while len(waiting) > _AHEAD or (size > _AHEAD_BYTES and len(waiting) > 1):
                first = waiting.popleft()
                size -= 0 if first is None else first.size
                yield first
        yield from waiting

    def shown(self, time: int | None) -> None:
        """A frame of this presentation time has been decoded."""
        if time is not None and time in self._unshown:
            self._unshown.remove(time)

    def unshown(self) -> tuple[int, ...]:
        """Presentation times of frames that are still to come."""
        return tuple(self._unshown)
