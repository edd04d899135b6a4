"""The newest frame of each camera, and the partitions assigned to this worker."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import EncodedFrame


class FrameOrder(Enum):
    """The place of a frame among the frames of its camera."""

    NEW = auto()
    REPEATED = auto()  # already processed here: Kafka delivers some frames again after a rebalance
    EPOCH_OVER = auto()  # its epoch ended before Kafka delivered the frame


class CameraPositions:
    """The newest frame and the partition of each camera."""

    def __init__(self) -> None:
        """Start without cameras."""
        self._newest: dict[str, tuple[int, int]] = {}  # camera -> epoch, seq
        self._partition_of: dict[str, int] = {}
        self._next_offset: dict[int, int] = {}  # partition -> offset of the next message
        self._assigned: frozenset[int] | None = None  # None before the first assignment
        self._unread_since_assignment: set[int] = set()  # partitions without a message since then

    def is_assigned(self, message: Message) -> bool:
        """Return whether the message's partition is assigned to this worker now."""
        return self._assigned is None or message.partition in self._assigned

    def partition_of(self, camera: str) -> int | None:
        """Return the partition of a camera's frames; None before its first frame."""
        return self._partition_of.get(camera)

    def record_frame(self, message: Message, encoded: EncodedFrame) -> FrameOrder:
        """Record a frame or the end of an epoch; return its place among the camera's frames."""
        self._partition_of[encoded.camera] = message.partition
        position = encoded.epoch, encoded.seq
        newest = self._newest.get(encoded.camera)
        if newest is not None and encoded.epoch < newest[0]:
            return FrameOrder.EPOCH_OVER
        if newest is not None and position <= newest:
            return FrameOrder.REPEATED
        self._newest[encoded.camera] = position
        return FrameOrder.NEW

    def drop_processed_elsewhere(self, message: Message) -> list[str]:
        """Drop the cameras of a partition that another worker has processed; return their names.

        Another worker has processed messages if the first offset after the assignment is greater
        than the next offset here.
        """
        partition = message.partition
        is_first = partition in self._unread_since_assignment
        self._unread_since_assignment.discard(partition)
        next_offset = self._next_offset.get(partition)
        has_gap = is_first and next_offset is not None and message.offset > next_offset
        self._next_offset[partition] = max(message.offset + 1, next_offset or 0)
        return self._drop_cameras({partition}) if has_gap else []

    def assign(self, partitions: Collection[int]) -> list[str]:
        """Accept an assignment; drop and return the cameras of all other partitions."""
        self._assigned, self._unread_since_assignment = frozenset(partitions), set(partitions)
        revoked = set(self._partition_of.values()).difference(partitions)
        for partition in revoked:
            self._next_offset.pop(partition, None)
        return self._drop_cameras(revoked)

    def _drop_cameras(self, partitions: Collection[int]) -> list[str]:
        cameras = [name for name, number in self._partition_of.items() if number in partitions]
        for camera in cameras:
            del self._newest[camera], self._partition_of[camera]
        return cameras
