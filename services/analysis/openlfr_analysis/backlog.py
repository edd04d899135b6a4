"""Holds frames back until they may be acknowledged: tallied, and before all live tracks.

The frames of a live track are lost with its worker, and so are counts that were not published. So
a frame is acknowledged only when every track of its camera has ended: after a kill Kafka delivers
a pass again from its beginning, and the same frames give the same sightings with the same ids.
Where a camera is never without a face, the number of frames that are held back is limited.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import EncodedFrame

MAX_HELD = 1000
"""Frames of a partition: 100 s of one camera at 10 frames a second, without their pictures."""


class FrameId(NamedTuple):
    """Identifies a frame that is held back; the frame itself is not kept."""

    camera: str
    epoch: int
    seq: int


@dataclass(slots=True, eq=False)
class _HeldMessage:
    """A message that is held back.

    Attributes:
        frame: The frame of the message; None where it has none.
        is_rest: Whether its camera had no live track after it: processing may begin again with
            the camera's next frame and loses nothing.
    """

    frame: FrameId | None
    message: Message
    is_rest: bool = False


class Backlog:
    """Messages that were processed and are not acknowledged yet.

    Several cameras may share a partition, and Kafka delivers a partition again from one offset on.
    So acknowledgement ends where no camera of the partition has a live track: the frames of a
    camera without one wait for the tracks of the other cameras.
    """

    def __init__(self, max_held: int = MAX_HELD) -> None:
        """Hold at most `max_held` messages of a partition; 0 holds none back."""
        self._max_held = max_held
        self._held: dict[int, deque[_HeldMessage]] = {}  # by partition
        self._newest: dict[str, _HeldMessage] = {}  # by camera
        self.acknowledged_early = 0
        """Frames acknowledged although a live track may have begun with them: too many held."""

    def add(self, encoded: EncodedFrame | None, message: Message) -> None:
        """Add a processed message; None for a message without a frame, which waits for nothing."""
        frame = None if encoded is None else FrameId(encoded.camera, encoded.epoch, encoded.seq)
        held = _HeldMessage(frame, message)
        self._held.setdefault(message.partition, deque()).append(held)
        if frame is not None:
            self._newest[frame.camera] = held

    def release(
        self, is_quiet: Callable[[str], bool], is_tallied: Callable[[FrameId], bool]
    ) -> list[Message]:
        """Remove and return the messages to acknowledge now, in the order of each partition.

        Args:
            is_quiet: Whether a camera has no live track after all added frames.
            is_tallied: Whether a frame's tally is published.
        """
        for camera, newest in self._newest.items():
            newest.is_rest = newest.is_rest or is_quiet(camera)
        released: list[Message] = []
        for held in self._held.values():
            safe, surplus = _count_safe(held, is_tallied), len(held) - self._max_held
            self.acknowledged_early += max(0, surplus - safe) if self._max_held else 0
            for _ in range(max(safe, surplus)):
                each = held.popleft()
                released.append(each.message)
                if each.frame is not None and self._newest.get(each.frame.camera) is each:
                    del self._newest[each.frame.camera]
        return released

    def clear(self) -> None:
        """Discard all: Kafka delivers them again."""
        self._held.clear()
        self._newest.clear()

    def __len__(self) -> int:
        """Number of held messages."""
        return sum(map(len, self._held.values()))


def _count_safe(held: Iterable[_HeldMessage], is_tallied: Callable[[FrameId], bool]) -> int:
    """Length of the longest prefix after which no camera in it has a live track."""
    safe, cameras_with_tracks = 0, set()
    for length, each in enumerate(held, 1):
        if each.frame is not None:
            if not is_tallied(each.frame):
                break
            if each.is_rest:
                cameras_with_tracks.discard(each.frame.camera)
            else:
                cameras_with_tracks.add(each.frame.camera)
        if not cameras_with_tracks:
            safe = length
    return safe
