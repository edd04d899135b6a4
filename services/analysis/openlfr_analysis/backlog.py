"""Which frames may be acknowledged: those that no live track began with, and that are tallied.

What a track holds dies with its worker, and so does what was counted and not told. So that a worker
that is killed loses no pass, a frame is acknowledged only once every track of its camera has ended;
Kafka then delivers a pass again from its beginning, and the same frames give the same sightings
with the same ids. Where a camera is never without a face, only so many frames are held back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import EncodedFrame

HELD_MOST = 1000
"""Frames of a partition: 100 s of one camera at 10 frames a second, without their pictures."""


class Place(NamedTuple):
    """Of a frame that is held back: the frame itself is not kept."""

    camera: str
    epoch: int
    seq: int


@dataclass(slots=True, eq=False)
class _Held:
    """A message that is held back.

    Attributes:
        place: None where it is no frame.
        at_rest: No track of its camera lived after it, so that nothing is lost by beginning anew
            with the camera's next frame.
    """

    place: Place | None
    message: Message
    at_rest: bool = False


class Backlog:
    """Frames that were looked at and are not yet acknowledged.

    Several cameras may share a partition, and Kafka delivers a partition again from one offset on.
    So what is acknowledged ends where no camera in it has a live track: a frame of a camera that
    has come to rest waits with the rest of its pass for another camera's.
    """

    def __init__(self, most: int = HELD_MOST) -> None:
        """Keep at most `most` of a partition; 0 holds none back."""
        self._most = most
        self._held: dict[int, deque[_Held]] = {}
        self._newest: dict[str, _Held] = {}  # of each camera
        self.let_go = 0
        """Frames acknowledged although a live track may have begun with them: too many held."""

    def add(self, said: EncodedFrame | None, message: Message) -> None:
        """Note a message that was looked at; one that is no frame is not waited for."""
        place = None if said is None else Place(said.camera, said.epoch, said.seq)
        held = _Held(place, message)
        self._held.setdefault(message.partition, deque()).append(held)
        if place is not None:
            self._newest[place.camera] = held

    def release(
        self, is_quiet: Callable[[str], bool], is_told: Callable[[Place], bool]
    ) -> list[Message]:
        """What may be acknowledged now, in the order of each partition.

        Args:
            is_quiet: Whether a camera has no live track, all that was added being looked at.
            is_told: Whether a frame's tally is told.
        """
        for camera, newest in self._newest.items():
            newest.at_rest = newest.at_rest or is_quiet(camera)
        free: list[Message] = []
        for held in self._held.values():
            at_rest, too_many = _first_of(held, is_told), len(held) - self._most
            self.let_go += max(0, too_many - at_rest) if self._most else 0
            for _ in range(max(at_rest, too_many)):
                each = held.popleft()
                free.append(each.message)
                if each.place is not None and self._newest.get(each.place.camera) is each:
                    del self._newest[each.place.camera]
        return free

    def clear(self) -> None:
        """Hold nothing: all of it will be delivered again."""
        self._held.clear()
        self._newest.clear()

    def __len__(self) -> int:
        """How many are held."""
        return sum(map(len, self._held.values()))


def _first_of(held: Iterable[_Held], is_told: Callable[[Place], bool]) -> int:
    """How many of the first end where every camera among them is at rest."""
    free, moving = 0, set()
    for number, each in enumerate(held, 1):
        if each.place is not None:
            if not is_told(each.place):
                break
            if each.at_rest:
                moving.discard(each.place.camera)
            else:
                moving.add(each.place.camera)
        if not moving:
            free = number
    return free
