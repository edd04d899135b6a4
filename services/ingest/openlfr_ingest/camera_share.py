"""Starts the cameras of this process's share, and stops cameras that other processes film now.

A process releases a camera before another process connects, so each move makes a gap of a second or
two. Only a few cameras move at a time, so that a process does not connect to many at once. A file
that plays once never moves while it is filmed, since the file would begin again.
"""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.sharing import assign
from openlfr_ingest.capacity import estimate_cost
from openlfr_ingest.supervision import CameraSupervisor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.adapters.redis.leases import FleetView
    from openlfr.domain.errors import OpenLFRError
    from openlfr.settings.cameras import Camera
    from openlfr_ingest.context import IngestContext

MAX_MOVING = 8
"""Greatest number of cameras that move to other processes at the same time."""
_MOVING_S = 5.0  # after this a released camera no longer counts as moving
_MAX_NAMES = 5  # in a log line or on a health page
_LOG_AFTER_S, _LOG_EACH_S = 10.0, 60.0  # wait first, since other processes may be starting

log = structlog.get_logger()


class CameraShare:
    """The cameras that this process films.

    One thread calls the methods, except `lose_lease` and the properties.

    Attributes:
        failure: The error of a service that all cameras need; None without one.
    """

    def __init__(self, entries: Mapping[str, Camera], context: IngestContext) -> None:
        """Create a share that films no camera before the first `update`.

        Args:
            entries: All cameras that this process may film, by name.
            context: Services and options of the process.
        """
        self.failure: OpenLFRError | None = None
        self._entries = dict(entries)
        self._context = context
        self._keeper = context.keeper
        self._supervisors: dict[str, CameraSupervisor] = {}
        self._failed: dict[str, CameraSupervisor] = {}  # this process cannot film these cameras
        self._over: set[str] = set()  # files that have ended
        self._earlier_counts: dict[str, Counter[str]] = {}  # of supervisors that have ended
        self._moving: dict[str, float] = {}  # camera -> when it no longer counts (monotonic)
        # The view and `may_take_over` at the last assignment.
        self._assigned_by: tuple[FleetView, bool] | None = None
        self._assigned: frozenset[str] = frozenset()
        self._beyond_room: tuple[str, ...] = ()
        self._logged: dict[str, int] = {}
        self._seen_alive: set[str] = set()  # all members so far; a missing one is dead
        self._log_beyond_at = 0.0  # monotonic; 0 while there is room for all cameras

    def update(self) -> None:
        """Start and stop cameras when the fleet changes; call it several times a second."""
        view = self._keeper.view  # read once, since another thread replaces it
        self._remove_ended()
        self._record_files_over(view)
        if self._keeper.is_view_trusted:
            self._assign(view)
            self._start_assigned()
            self._hand_over(view)
        self._log_beyond_room()

    def is_over(self) -> bool:
        """Return whether all cameras are files that have ended or failed."""
        return not self._supervisors and self._entries.keys() <= self._over | self._failed.keys()

    def lose_lease(self, camera: str) -> None:
        """Stop filming a camera that another process may film now."""
        if (supervisor := self._supervisors.get(camera)) is not None:
            supervisor.lose_lease()

    def disconnect_halted(self) -> None:
        """Disconnect live cameras that the deployment does not cover now."""
        now = self._context.now()
        for name, supervisor in self._supervisors.items():
            if self._context.deployment.skip_reason(now, name):
                supervisor.disconnect()

    def stop(self) -> None:
        """Stop all cameras, and wait for their threads."""
        for supervisor in self._supervisors.values():
            supervisor.stop()
        for supervisor in self._supervisors.values():
            supervisor.join()

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """The counts of each camera that this process has filmed."""
        supervisors = {**self._failed, **self._supervisors}
        return {
            name: self._earlier_counts.get(name, Counter())
            + (supervisors[name].counts if name in supervisors else Counter())
            for name in sorted(self._earlier_counts.keys() | supervisors)
        }

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each camera that failed, broke off or never answered."""
        supervisors = [*self._failed.values(), *self._supervisors.values()]
        return tuple(supervisor.problem for supervisor in supervisors if supervisor.problem)

    @property
    def reported(self) -> dict[str, CameraSupervisor]:
        """Supervisors, by camera, of leased cameras and of cameras that failed here."""
        held = self._keeper.held
        supervisors = {
            name: supervisor
            for name, supervisor in self._supervisors.copy().items()
            if name in held
        }
        return {**self._failed, **supervisors}

    @property
    def configured(self) -> int:
        """Number of configured cameras that are not over."""
        return len(self._entries.keys() - self._over)

    @property
    def unfilmed(self) -> list[str]:
        """Configured cameras whose leases no live process has."""
        return sorted(self._entries.keys() - self._over - self._keeper.view.live_holders.keys())

    @property
    def beyond_room(self) -> tuple[str, ...]:
        """Configured cameras for which no process has room."""
        return self._beyond_room

    def notes(self) -> list[str]:
        """Return sentences about problems, for the health pages of this process."""
        return [self._beyond_message()] if self._beyond_room else []

    def _remove_ended(self) -> None:
        """Remove supervisors that have ended; retain their counts."""
        for name, supervisor in list(self._supervisors.items()):
            if not supervisor.is_over():
                continue
            if supervisor.failure is not None:
                self.failure = supervisor.failure
                continue
            if supervisor.problem and not supervisor.stopped:
                self._failed[name] = supervisor
                self._keeper.withdraw(name)
            else:
                self._earlier_counts[name] = (
                    self._earlier_counts.get(name, Counter()) + supervisor.counts
                )
            if supervisor.ended:
                self._over.add(name)
                self._keeper.withdraw(name)
            del self._supervisors[name]

    def _record_files_over(self, view: FleetView) -> None:
        """Record files that other processes have filmed to the end since this process began."""
        for name, at_ms in view.finished_files.items():
            if at_ms < self._keeper.joined_at_ms or name in self._over or name not in self._entries:
                continue
            if not estimate_cost(self._entries[name]).movable:
                self._over.add(name)
                self._keeper.withdraw(name)
                if (supervisor := self._supervisors.get(name)) is not None:
                    supervisor.stop()

    def _assign(self, view: FleetView) -> None:
        """Compute the cameras that this process films, from the members and leases in the view."""
        keeper = self._keeper
        may_take_over = keeper.may_take_over
        if (
            self._assigned_by is not None
            and self._assigned_by[0] is view
            and self._assigned_by[1] == may_take_over
        ):
            return
        if keeper.member_id not in {each.member_id for each in view.members}:
            return  # this process has joined again after the view was read
        self._assigned_by = view, may_take_over
        self._seen_alive |= {each.member_id for each in view.members}
        alive = view.live_holders
        assigned = assign(view.members, alive)
        self._assigned = frozenset(
            name
            for name, member in assigned.items()
            if member == keeper.member_id
            and name in self._entries
            and (
                may_take_over
                or name in alive
                or view.holders.get(name) in {None, *self._seen_alive}
            )
        )
        active = self._entries.keys() - self._over - self._failed.keys()
        self._beyond_room = tuple(sorted(active - assigned.keys()))
        figures = {
            "members": len(view.members), "mine": len(self._assigned),
            "configured": len(active), "beyond": len(self._beyond_room),
        }  # fmt: skip
        if figures != self._logged:
            self._logged = figures
            log.info("cameras_shared", **figures)

    def _start_assigned(self) -> None:
        for name in sorted(
            self._assigned - self._supervisors.keys() - self._over - self._failed.keys()
        ):
            context = self._context
            is_first = name not in self._earlier_counts
            supervisor = CameraSupervisor(name, self._entries[name], context, pinned=is_first)
            self._supervisors[name] = supervisor
            supervisor.start()

    def _hand_over(self, view: FleetView) -> None:
        """Stop cameras assigned to other processes: all without a lease, a few with a lease."""
        now, held, elsewhere = monotonic(), self._keeper.held, view.live_holders
        self._moving = {
            name: until
            for name, until in self._moving.items()
            if until > now and elsewhere.get(name) in (None, self._keeper.member_id)
        }
        for name, supervisor in self._supervisors.items():
            if name in self._assigned or supervisor.stopped:
                continue
            if name in held:
                if (
                    len(self._moving) >= MAX_MOVING
                    or not estimate_cost(self._entries[name]).movable
                ):
                    continue
                self._moving[name] = now + _MOVING_S
            supervisor.stop()

    def _log_beyond_room(self) -> None:
        """Log, at most once a minute, the cameras for which no process has room."""
        if not self._beyond_room:
            self._log_beyond_at = 0.0
        elif not self._log_beyond_at:
            self._log_beyond_at = monotonic() + _LOG_AFTER_S
        elif monotonic() >= self._log_beyond_at:
            self._log_beyond_at = monotonic() + _LOG_EACH_S
            log.error("cameras_without_a_process", why=self._beyond_message())

    def _beyond_message(self) -> str:
        names = ", ".join(self._beyond_room[:_MAX_NAMES]) + (
            ", ..." if len(self._beyond_room) > _MAX_NAMES else ""
        )
        members = self._assigned_by[0].members if self._assigned_by else ()
        room = sum(each.max_cameras for each in members if not each.leaving)
        return (
            f"{len(self._beyond_room)} of {self.configured} cameras are filmed by nobody ({names}):"
            f" the {len(members)} processes of ingest have room for {room}. Start more processes, "
            "or raise ingest.max_cameras if their CPUs are idle enough."
        )
