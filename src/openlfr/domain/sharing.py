"""Assigns cameras to the processes that capture them.

Every process computes the assignment by itself from the same data: the live processes, the cameras
that each process can capture, and the current assignment. There is no leader, so no election delays
the takeover of a camera.

A camera stays with its process unless the load is uneven, since each move causes a short gap. So
after the death of a process only its cameras move, and a process that joins only receives its
share. A camera without a process is assigned by rendezvous hashing of the camera's name, except to
processes that would exceed their share. So processes with slightly different data mostly compute
the same assignment.

The load is the sum of costs, not the number of cameras, since one camera may be sampled at 25
frames a second and another at one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

UNEVEN = 20
"""Loads count as even if they differ by at most 1/20 of the mean."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of capturing a camera.

    Attributes:
        millicores: Thousandths of a core, estimated.
        movable: Whether another process can continue the capture; a video would start again.
    """

    millicores: int
    movable: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """A live process.

    Attributes:
        member_id: Id of one start of a process.
        max_cameras: Greatest number of cameras that the process can capture.
        cameras: The configured cameras; the process can capture no others.
        leaving: Whether the process is about to end and accepts no more cameras.
    """

    member_id: str
    max_cameras: int
    cameras: Mapping[str, Cost] = field(repr=False)
    leaving: bool = False


def assign(members: Sequence[Member], holders: Mapping[str, str]) -> dict[str, str]:
    """Return the id of the assigned member by camera, without cameras that nobody can capture.

    Args:
        members: All live members, in any order.
        holders: Id of the current member by camera; ids of dead members are ignored.
    """
    shares = _Shares([each for each in members if not each.leaving])
    unassigned = []
    for camera in sorted(shares.costs):
        holder = holders.get(camera)
        if holder is None or not shares.add(camera, holder):
            unassigned.append(camera)
    for camera in sorted(unassigned, key=lambda each: (-shares.costs[each].millicores, each)):
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
        self._cameras_of: dict[str, set[str]] = {each: set() for each in self.members}
        total = sum(cost.millicores for cost in self.costs.values())
        self._share = -(-total // max(1, len(self.members)))

    def add(self, camera: str, member: str) -> bool:
        """Assign a camera to a member; return False if the member cannot capture the camera."""
        if member not in self.members or not self._can_capture(member, camera):
            return False
        self.assigned[camera] = member
        self._cameras_of[member].add(camera)
        self._loads[member] += self.costs[camera].millicores
        return True

    def place(self, camera: str) -> None:
        """Assign a camera to the member with the strongest draw among members with spare share.

        Without spare share, the camera goes to the least loaded member that can capture the camera.
        If no member can, the camera remains unassigned.
        """
        cost = self.costs[camera].millicores
        able = [each for each in self.members if self._can_capture(each, camera)]
        below = [each for each in able if self._loads[each] + cost <= self._share]
        if below:
            self.add(camera, max(below, key=lambda each: _draw(camera, each)))
        elif able:
            self.add(camera, min(able, key=lambda each: (self._loads[each], _draw(camera, each))))

    def even_out(self) -> bool:
        """Move a camera from a member with more load to a member with less load.

        Returns:
            Whether a camera was moved; False if loads are even or no move evens them out.
        """
        by_load = sorted(self.members, key=lambda each: (self._loads[each], each))
        for heavy in reversed(by_load):
            for light in by_load:
                gap = self._loads[heavy] - self._loads[light]
                if gap * UNEVEN <= self._share:
                    break
                if moved := self._find_best_move(heavy, light, gap):
                    self._cameras_of[heavy].remove(moved)
                    self._loads[heavy] -= self.costs[moved].millicores
                    self.add(moved, light)
                    return True
        return False

    def _find_best_move(self, heavy: str, light: str, gap: int) -> str | None:
        """Return the camera whose move evens two loads out best; None if no move does."""
        costs, able = self.costs, self.members[light].cameras
        if len(self._cameras_of[light]) >= self.members[light].max_cameras:
            return None
        candidates: Iterable[str] = (
            each
            for each in self._cameras_of[heavy]
            if costs[each].movable and costs[each].millicores < gap and each in able
        )
        return min(
            candidates,
            key=lambda each: (abs(gap - 2 * costs[each].millicores), -_draw(each, light), each),
            default=None,
        )

    def _can_capture(self, member: str, camera: str) -> bool:
        limits = self.members[member]
        return len(self._cameras_of[member]) < limits.max_cameras and camera in limits.cameras


def _id(member: Member) -> str:
    return member.member_id


@lru_cache(maxsize=1 << 17)
def _draw(camera: str, member: str) -> int:
    """Return a pseudo-random strength for a camera and a member, the same in all processes."""
    digest = blake2b(f"{camera}\x1f{member}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
