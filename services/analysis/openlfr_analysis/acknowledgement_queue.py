"""Retains processed messages until they may be acknowledged.

A live track and unpublished counts exist only in the memory of a worker. So a frame is acknowledged
only when its tally is published and every track of its camera has ended. After a kill, Kafka then
delivers all frames of a live track again, and the same frames give the same sightings with the
same ids. The number of unacknowledged frames is limited, since a camera may never be without a
face.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import EncodedFrame

MAX_QUEUED = 1000
"""Greatest number of unacknowledged frames of a partition, retained without their pictures: 100 s
of one camera at 10 frames a second."""


class FrameId(NamedTuple):
    """The id of an unacknowledged frame."""

    camera: str
    epoch: int
    seq: int


@dataclass(slots=True, eq=False)
class _QueuedMessage:
    """A message that is not acknowledged yet.

    Attributes:
        frame: Id of the frame in the message; None for a message without a frame.
        is_restart_point: Whether the camera had no live track after this frame. A worker that
            starts with the camera's next frame then misses nothing.
    """

    frame: FrameId | None
    message: Message
    is_restart_point: bool = False


class AcknowledgementQueue:
    """The processed messages that are not acknowledged yet.

    Several cameras may share a partition, and Kafka delivers a partition again from one offset on.
    So messages are acknowledged up to a point at which no camera of the partition has a live track.
    Frames of a camera without a live track wait for the tracks of the other cameras.

    Attributes:
        acknowledged_early: Number of frames acknowledged because of the limit, although a live
            track may have begun with them.
    """

    def __init__(self, max_queued: int = MAX_QUEUED) -> None:
        """Create an empty queue; `max_queued` is the limit for each partition, 0 for no delay."""
        self._max_queued = max_queued
        self._queues: dict[int, deque[_QueuedMessage]] = {}  # by partition
        self._newest: dict[str, _QueuedMessage] = {}  # by camera
        self.acknowledged_early = 0

    def add(self, encoded: EncodedFrame | None, message: Message) -> None:
        """Add a processed message; `encoded` is None for a message without a frame."""
        frame = None if encoded is None else FrameId(encoded.camera, encoded.epoch, encoded.seq)
        queued = _QueuedMessage(frame, message)
        self._queues.setdefault(message.partition, deque()).append(queued)
        if frame is not None:
            self._newest[frame.camera] = queued

    def pop_acknowledgeable(
        self, is_quiet: Callable[[str], bool], is_tallied: Callable[[FrameId], bool]
    ) -> list[Message]:
        """Remove and return the messages to acknowledge now, in the order of each partition.

        The oldest messages above `max_queued` are included, even if a live track began with them.

        Args:
            is_quiet: Returns whether a camera has no live track after all added frames.
            is_tallied: Returns whether the tally of a frame is published.
        """
        for camera, newest in self._newest.items():
            newest.is_restart_point = newest.is_restart_point or is_quiet(camera)
        acknowledgeable: list[Message] = []
        for queue in self._queues.values():
            safe = _count_acknowledgeable(queue, is_tallied)
            surplus = len(queue) - self._max_queued
            self.acknowledged_early += max(0, surplus - safe) if self._max_queued else 0
            for _ in range(max(safe, surplus)):
                each = queue.popleft()
                acknowledgeable.append(each.message)
                if each.frame is not None and self._newest.get(each.frame.camera) is each:
                    del self._newest[each.frame.camera]
        return acknowledgeable

    def clear(self) -> None:
        """Discard all messages, which Kafka delivers again."""
        self._queues.clear()
        self._newest.clear()

    def __len__(self) -> int:
        """Return the number of messages in the queue."""
        return sum(map(len, self._queues.values()))


def _count_acknowledgeable(
    queue: Iterable[_QueuedMessage], is_tallied: Callable[[FrameId], bool]
) -> int:
    """Return the length of the longest prefix that is tallied and ends without live tracks."""
    safe, cameras_with_tracks = 0, set()
    for length, each in enumerate(queue, 1):
        if each.frame is not None:
            if not is_tallied(each.frame):
                break
            if each.is_restart_point:
                cameras_with_tracks.discard(each.frame.camera)
            else:
                cameras_with_tracks.add(each.frame.camera)
        if not cameras_with_tracks:
            safe = length
    return safe
