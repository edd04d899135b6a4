"""Which frames may be acknowledged: those that no live track began with, and that are tallied.

What a track holds dies with its worker, and so does what was counted and not told. So that a worker
that is killed loses no pass, a frame is acknowledged only once every track of its camera has ended;
Kafka then delivers a pass again from its beginning, and the same frames give the same sightings
with the same ids. Where a camera is never without a face, only so many frames are held back.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.adapters.faust_agents import Message
    from openlfr.domain.frames import EncodedFrame

HELD_MOST = 1000
"""Frames of a partition: 100 s of one camera at 10 frames a second, without their pictures."""


class Place(NamedTuple):
    """Of a frame that is held back: the frame itself is not kept."""

    camera: str
    epoch: int
    seq: int


class Backlog:
    """Frames that were looked at and are not yet acknowledged."""

    def __init__(self, most: int = HELD_MOST) -> None:
        """Keep at most `most` of a partition; 0 holds none back."""
        self._most = most
        self._held: dict[int, deque[tuple[Place | None, Message]]] = {}

    def add(self, said: EncodedFrame | None, message: Message) -> None:
        """Note a message that was looked at; one that is no frame is not waited for."""
        place = None if said is None else Place(said.camera, said.epoch, said.seq)
        self._held.setdefault(message.partition, deque()).append((place, message))

    def release(self, is_done: Callable[[Place], bool]) -> list[Message]:
        """What may be acknowledged now, in the order of each partition."""
        free: list[Message] = []
        for held in self._held.values():
            while held and (len(held) > self._most or held[0][0] is None or is_done(held[0][0])):
                free.append(held.popleft()[1])
        return free

    def clear(self) -> None:
        """Hold nothing: all of it will be delivered again."""
        self._held.clear()

    def __len__(self) -> int:
        """How many are held."""
        return sum(map(len, self._held.values()))
