"""Assigns cameras to the processes that capture them.

Every process computes the assignment by itself from the same facts: the live processes, the cameras
that each can capture, and the present assignment. There is no leader, so no election delays the
takeover of a camera.

A camera stays with its process unless the load is uneven, since each move causes a short gap. So
when a process dies only its cameras move, and when one joins only its share does. A camera without
a process goes to the one that its name draws (rendezvous hashing), unless that process would exceed
its share. So processes that see the facts at slightly different times draw alike.

The load is measured in cost, not in cameras, since one camera may be sampled at 25 frames a second
and the next at one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

UNEVEN = 20
"""Loads that differ by less than 1/20 of the mean count as even."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of capturing a camera.

    Attributes:
        millicores: Thousandths of a core, estimated.
        movable: Whether another process can continue the capture; a file would start again.
    """

    millicores: int
    movable: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """A live process.

    Attributes:
        member_id: Unique for each start of a process.
        room: Greatest number of cameras that it can capture.
        cameras: The cameras of its configuration, which are the only ones that it can capture.
        leaving: Whether it is about to end and accepts no more cameras.
    """

    member_id: str
    room: int
    cameras: Mapping[str, Cost] = field(repr=False)
    leaving: bool = False


def assign(members: Sequence[Member], holders: Mapping[str, str]) -> dict[str, str]:
    """Assign each camera to a member, by its id; cameras that no member can capture are missing.

    Args:
        members: All live members, in any order.
        holders: Id of the member that captures each camera now; ids of dead members are ignored.
    """
    shares = _Shares([each for each in members if not each.leaving])
    free = []
    for camera in sorted(shares.costs):
        holder = holders.get(camera)
        if holder is None or not shares.add(camera, holder):
            free.append(camera)
    for camera in sorted(free, key=lambda each: (-shares.costs[each].millicores, each)):
        shares.place(camera)
    while shares.even_out():
        pass
    return shares.assigned


class _Shares:
    """The cameras assigned to each member so far."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = {each.member_id: each for each in sorted(members, key=_id)}
        self.costs: dict[str, Cost] = {}
        for member in self.members.values():
            for camera, cost in member.cameras.items():
                known = self.costs.get(camera, cost)  # configurations may differ for a while
                self.costs[camera] = Cost(
                    max(cost.millicores, known.millicores), cost.movable and known.movable
                )
        self.assigned: dict[str, str] = {}
        self._loads = dict.fromkeys(self.members, 0)
        self._given: dict[str, set[str]] = {each: set() for each in self.members}
        total = sum(cost.millicores for cost in self.costs.values())
        self._share = -(-total // max(1, len(self.members)))

    def add(self, camera: str, member: str) -> bool:
        """Assign a camera to a member; False if the member cannot capture it."""
        if member not in self.members or not self._can(member, camera):
            return False
        self.assigned[camera] = member
        self._given[member].add(camera)
        self._loads[member] += self.costs[camera].millicores
        return True

    def place(self, camera: str) -> None:
        """Assign a camera to the member that it draws among those with less than their share."""
        cost = self.costs[camera].millicores
        able = [each for each in self.members if self._can(each, camera)]
        below = [each for each in able if self._loads[each] + cost <= self._share]
        if below:
            self.add(camera, max(below, key=lambda each: _draw(camera, each)))
        elif able:
            self.add(camera, min(able, key=lambda each: (self._loads[each], _draw(camera, each))))

    def even_out(self) -> bool:
        """Move one camera from a member with more load to one with less; False if all is even."""
        by_load = sorted(self.members, key=lambda each: (self._loads[each], each))
        for heavy in reversed(by_load):
            for light in by_load:
                gap = self._loads[heavy] - self._loads[light]
                if gap * UNEVEN <= self._share:
                    break
                if moved := self._best(heavy, light, gap):
                    self._given[heavy].remove(moved)
                    self._loads[heavy] -= self.costs[moved].millicores
                    self.add(moved, light)
                    return True
        return False

    def _best(self, heavy: str, light: str, gap: int) -> str | None:
        """The camera whose move best evens two members out; None if every move makes it worse."""
        costs, able = self.costs, self.members[light].cameras
        if len(self._given[light]) >= self.members[light].room:
            return None
        some: Iterable[str] = (
            each
            for each in self._given[heavy]
            if costs[each].movable and costs[each].millicores < gap and each in able
        )
        return min(
            some,
            key=lambda each: (abs(gap - 2 * costs[each].millicores), -_draw(each, light), each),
            default=None,
        )

    def _can(self, member: str, camera: str) -> bool:
        found = self.members[member]
        return len(self._given[member]) < found.room and camera in found.cameras


def _id(member: Member) -> str:
    return member.member_id


@lru_cache(maxsize=1 << 17)
def _draw(camera: str, member: str) -> int:
    """The strength with which a camera draws a member: pseudo-random, the same in all processes."""
    digest = blake2b(f"{camera}\x1f{member}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
