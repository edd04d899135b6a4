"""Which of several processes films which camera.

Every process computes this for itself, from the same facts: who is alive, what each can film, and
who films what now. Nobody leads, so nobody has to be elected before a camera is filmed again.

What is filmed stays where it is, unless the load is uneven: each move is a short gap. So when a
process dies only its cameras move, and when one joins only its share does. What has no process goes
to the one that the camera's name draws (rendezvous hashing), as long as that has no more than its
share: processes that see the facts a moment apart draw alike.

The load is counted in cost, not in cameras, since one camera may be sampled at 25 frames a second
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
"""One in so many: processes whose load differs by less than this part of the mean are even."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What filming a camera takes.

    Attributes:
        millicores: Thousandths of a core, estimated.
        movable: Whether another process can go on where one stops. A file begins anew.
    """

    millicores: int
    movable: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """A live process.

    Attributes:
        member_id: Different for each start of a process.
        room: Cameras that it films at most.
        cameras: Those of its configuration; others it cannot film.
        leaving: It is about to end and takes nothing more.
    """

    member_id: str
    room: int
    cameras: Mapping[str, Cost] = field(repr=False)
    leaving: bool = False


def assign(members: Sequence[Member], holders: Mapping[str, str]) -> dict[str, str]:
    """Which member is to film each camera; a camera without one is missing.

    Args:
        members: All that live, in any order.
        holders: Who holds each camera that is held, by the member's id; members that do not live
            hold nothing.
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
    """What each member has been given so far."""

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
        """Give a camera to a member that can film it; whether it could."""
        if member not in self.members or not self._can(member, camera):
            return False
        self.assigned[camera] = member
        self._given[member].add(camera)
        self._loads[member] += self.costs[camera].millicores
        return True

    def place(self, camera: str) -> None:
        """Give it to the member that it draws, of those with less than their share."""
        cost = self.costs[camera].millicores
        able = [each for each in self.members if self._can(each, camera)]
        below = [each for each in able if self._loads[each] + cost <= self._share]
        if below:
            self.add(camera, max(below, key=lambda each: _draw(camera, each)))
        elif able:
            self.add(camera, min(able, key=lambda each: (self._loads[each], _draw(camera, each))))

    def even_out(self) -> bool:
        """Move one camera from a member with much to one with little; False where all is even."""
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
        """The camera that evens two members out best; None where each would make it worse."""
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
    """How strongly a camera draws a member; by chance, the same wherever it is asked."""
    digest = blake2b(f"{camera}\x1f{member}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
