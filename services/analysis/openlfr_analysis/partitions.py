"""The newest frame of each camera, and the partitions that this worker is assigned."""

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
    REPEATED = auto()  # already processed here: after a rebalance some are delivered again
    EPOCH_OVER = auto()  # its epoch ended before the frame was delivered


class CameraPositions:
    """The newest frame and the partition of each camera."""

    def __init__(self) -> None:
        """Begin without cameras."""
        self._newest: dict[str, tuple[int, int]] = {}  # camera -> epoch, seq
        self._partition_of: dict[str, int] = {}
        self._next_offset: dict[int, int] = {}  # partition -> offset of the next message
        self._assigned: frozenset[int] | None = None  # None before the first assignment
        self._not_read_since: set[int] = set()  # partitions without a message since assignment

    def is_assigned(self, message: Message) -> bool:
        """Whether the message's partition is assigned to this worker now."""
        return self._assigned is None or message.partition in self._assigned

    def partition_of(self, camera: str) -> int | None:
        """The partition of a camera's frames; None before its first frame."""
        return self._partition_of.get(camera)

    def record_frame(self, message: Message, encoded: EncodedFrame) -> FrameOrder:
        """Record a frame, or the end of an epoch, and return its place among the camera's."""
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
        """Drop cameras whose partition another worker processed meanwhile; return their names.

        Another worker had the partition where the first message after its assignment is not the
        one that was next here: this worker was away for long.
        """
        partition = message.partition
        is_first = partition in self._not_read_since
        self._not_read_since.discard(partition)
        next_offset = self._next_offset.get(partition)
        has_gap = is_first and next_offset is not None and message.offset > next_offset
        self._next_offset[partition] = max(message.offset + 1, next_offset or 0)
        return self._drop_cameras({partition}) if has_gap else []

    def assign(self, partitions: Collection[int]) -> list[str]:
        """Accept an assignment; drop the cameras of all other partitions, and return them."""
        self._assigned, self._not_read_since = frozenset(partitions), set(partitions)
        revoked = set(self._partition_of.values()).difference(partitions)
        for partition in revoked:
            self._next_offset.pop(partition, None)
        return self._drop_cameras(revoked)

    def _drop_cameras(self, partitions: Collection[int]) -> list[str]:
        cameras = [name for name, own in self._partition_of.items() if own in partitions]
        for camera in cameras:
            del self._newest[camera], self._partition_of[camera]
        return cameras
