"""Where each camera stands: which frames are news, and which cameras are this worker's."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import EncodedFrame


class FrameOrder(Enum):
    """What a frame is to whoever knows the frames before it."""

    NEW = auto()
    REPEATED = auto()  # it was looked at here: after a balancing of the group some come again
    OVER = auto()  # of an epoch that was over when it came


class CameraPositions:
    """The newest frame of each camera, and the partition that the camera is on."""

    def __init__(self) -> None:
        """Know of no camera."""
        self._newest: dict[str, tuple[int, int]] = {}  # camera -> epoch, seq
        self._partition_of: dict[str, int] = {}
        self._next: dict[int, int] = {}  # partition -> offset of the message that is to come
        self._ours: frozenset[int] | None = None  # partitions; None: nothing was said yet
        self._given: set[int] = set()  # partitions of which nothing has come since they were given

    def is_ours(self, message: Message) -> bool:
        """Whether its partition is this worker's now."""
        return self._ours is None or message.partition in self._ours

    def partition_of(self, camera: str) -> int | None:
        """Where its frames come from; None where none has come."""
        return self._partition_of.get(camera)

    def arrive(self, message: Message, said: EncodedFrame) -> FrameOrder:
        """Take note of a frame that came, or of the end of an epoch."""
        self._partition_of[said.camera] = message.partition
        mark = said.epoch, said.seq
        newest = self._newest.get(said.camera)
        if newest is not None and said.epoch < newest[0]:
            return FrameOrder.OVER
        if newest is not None and mark <= newest:
            return FrameOrder.REPEATED
        self._newest[said.camera] = mark
        return FrameOrder.NEW

    def taken_over(self, message: Message) -> list[str]:
        """The cameras of which another worker has seen more since, forgotten here.

        So it is where the first message that comes after a partition was given is not the one
        that was to come: its worker was away for long, and another one had it meanwhile.
        """
        partition, given = message.partition, message.partition in self._given
        self._given.discard(partition)
        skipped = given and message.offset > self._next.get(partition, message.offset)
        self._next[partition] = max(message.offset + 1, self._next.get(partition, 0))
        return self._forget({partition}) if skipped else []

    def keep(self, partitions: Collection[int]) -> list[str]:
        """Only these partitions are ours; the cameras of the others, forgotten here."""
        self._ours, self._given = frozenset(partitions), set(partitions)
        gone = set(self._partition_of.values()).difference(partitions)
        for partition in gone:
            self._next.pop(partition, None)
        return self._forget(gone)

    def _forget(self, partitions: Collection[int]) -> list[str]:
        cameras = [name for name, place in self._partition_of.items() if place in partitions]
        for camera in cameras:
            del self._newest[camera], self._partition_of[camera]
        return cameras
