"""Which frames may be acknowledged: those that no live track began with.

What a track holds dies with its worker. So that a worker that is killed loses no pass, a frame is
acknowledged only once every track of its camera has ended; Kafka then delivers a pass again from
its beginning, and the same frames give the same sightings with the same ids. Where a camera is
never without a face, only so many frames are held back.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.adapters.faust_agents import Message

HELD_MOST = 300
"""Frames of a partition: half a minute of one camera at 10 frames a second, 30 MB in memory."""


class Backlog:
    """Frames that were looked at and are not yet acknowledged."""

    def __init__(self, most: int = HELD_MOST) -> None:
        """Keep at most `most` of a partition; 0 holds none back."""
        self._most = most
        self._held: dict[int, deque[tuple[str, Message]]] = {}

    def add(self, camera: str, message: Message) -> None:
        """Note a frame that was looked at; a message that is no frame has no camera."""
        self._held.setdefault(message.partition, deque()).append((camera, message))

    def release(self, is_quiet: Callable[[str], bool]) -> list[Message]:
        """What may be acknowledged now, in the order of each partition."""
        free: list[Message] = []
        for held in self._held.values():
            while held and (len(held) > self._most or not held[0][0] or is_quiet(held[0][0])):
                free.append(held.popleft()[1])
        return free

    def __len__(self) -> int:
        """How many are held."""
        return sum(map(len, self._held.values()))
