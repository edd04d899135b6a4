"""Films this process's share of the cameras: begins what is its own, ends what is another's.

A camera that moves is given back by one process before the next connects, so each move is a gap of
a second or two. Few move at a time, so that the process that takes them is not busy with
all at once. A file that plays once never moves while it is filmed, since it would begin anew.
"""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.sharing import assign
from openlfr_ingest.capacity import cost_of
from openlfr_ingest.supervision import CameraSupervisor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.adapters.redis.leases import FleetView
    from openlfr.domain.errors import OpenLFRError
    from openlfr.settings.cameras import Camera
    from openlfr_ingest.supervision import IngestContext

MOVES = 8
"""Cameras of this process that are on their way to another one at a time."""
_MOVED_S = 5.0  # after which one that nobody took is on its way no more
_NAMES = 5  # that a log line or a health page names
_SAY_AFTER_S, _SAY_EACH_S = 10.0, 60.0  # the others may be about to start

log = structlog.get_logger()


class CameraShare:
    """The cameras that this process films. One thread calls it, but for `lose` and the figures.

    Attributes:
        failure: What every camera needs and does not answer; None while all do.
    """

    def __init__(self, entries: Mapping[str, Camera], context: IngestContext) -> None:
        """Film nothing yet; `turn` begins.

        Args:
            entries: Every camera that it may film.
            context: What they share.
        """
        self.failure: OpenLFRError | None = None
        self._entries = dict(entries)
        self._context = context
        self._keeper = context.keeper
        self._films: dict[str, CameraSupervisor] = {}
        self._unable: dict[str, CameraSupervisor] = {}  # that failed here for good
        self._over: set[str] = set()
        self._before: dict[str, Counter[str]] = {}  # counts of what was filmed before
        self._moving: dict[str, float] = {}  # until when it counts as on its way
        self._seen: tuple[FleetView, bool] | None = None
        self._mine: frozenset[str] = frozenset()
        self._beyond: tuple[str, ...] = ()
        self._told: dict[str, int] = {}
        self._known: set[str] = set()  # members that were seen alive: who is gone of them is dead
        self._say_beyond_at = 0.0  # 0 while there is room for all

    def turn(self) -> None:
        """Look after the cameras; call it several times a second."""
        view = self._keeper.view  # it may be another one any time
        self._reap()
        self._note_over(view)
        if self._keeper.settled:
            self._assign(view)
            self._begin()
            self._hand_over(view)
        self._say_beyond()

    def is_over(self) -> bool:
        """Whether nothing more comes: files alone, and each has ended or failed."""
        return not self._films and self._entries.keys() <= self._over | self._unable.keys()

    def lose(self, camera: str) -> None:
        """Somebody else may film it now."""
        if (film := self._films.get(camera)) is not None:
            film.lose_lease()

    def halt(self) -> None:
        """Disconnect live cameras that the deployment does not cover now."""
        now = self._context.now()
        for name, film in self._films.items():
            if self._context.deployment.skip_reason(now, name):
                film.end_hours()

    def stop(self) -> None:
        """End every camera and wait until they have."""
        for film in self._films.values():
            film.stop()
        for film in self._films.values():
            film.join()

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """Of every camera that this process ever filmed, by what became of its frames."""
        films = {**self._unable, **self._films}
        return {
            name: self._before.get(name, Counter())
            + (films[name].counts if name in films else Counter())
            for name in sorted(self._before.keys() | films)
        }

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each camera that failed, broke off or never answered."""
        films = [*self._unable.values(), *self._films.values()]
        return tuple(film.problem for film in films if film.problem)

    @property
    def shown(self) -> dict[str, CameraSupervisor]:
        """The cameras that this process holds, and those that failed here."""
        held = self._keeper.held
        films = {name: film for name, film in self._films.copy().items() if name in held}
        return {**self._unable, **films}

    @property
    def configured(self) -> int:
        """The cameras of this process's configuration that are not over."""
        return len(self._entries.keys() - self._over)

    @property
    def unfilmed(self) -> list[str]:
        """Those of them that no live process holds."""
        return sorted(self._entries.keys() - self._over - self._keeper.view.held.keys())

    @property
    def beyond(self) -> tuple[str, ...]:
        """Those that no process has room for."""
        return self._beyond

    def notes(self) -> list[str]:
        """Problems for the health pages of this process, in sentences."""
        return [self._sentence()] if self._beyond else []

    def _reap(self) -> None:
        """Let go of what is over, and keep what it counted."""
        for name, film in list(self._films.items()):
            if not film.is_over():
                continue
            if film.failure is not None:
                self.failure = film.failure
                continue
            if film.problem and not film.stopped:
                self._unable[name] = film
                self._keeper.drop(name)
            else:
                self._before[name] = self._before.get(name, Counter()) + film.counts
            if film.ended:
                self._over.add(name)
                self._keeper.drop(name)
            del self._films[name]

    def _note_over(self, view: FleetView) -> None:
        """See which files others have filmed to their end since this process began."""
        for name, at_ms in view.over.items():
            if at_ms < self._keeper.at_ms or name in self._over or name not in self._entries:
                continue
            if not cost_of(self._entries[name]).movable:
                self._over.add(name)
                self._keeper.drop(name)
                if (film := self._films.get(name)) is not None:
                    film.stop()

    def _assign(self, view: FleetView) -> None:
        """Which cameras are this process's, by what is known now."""
        keeper = self._keeper
        patient = keeper.takes_over
        if self._seen is not None and self._seen[0] is view and self._seen[1] == patient:
            return
        if keeper.member_id not in {each.member_id for each in view.members}:
            return  # what was seen is from before this process was back
        self._seen = view, patient
        self._known |= {each.member_id for each in view.members}
        alive = view.held
        assigned = assign(view.members, alive)
        self._mine = frozenset(
            name
            for name, member in assigned.items()
            if member == keeper.member_id
            and name in self._entries
            and (patient or name in alive or view.holders.get(name) in {None, *self._known})
        )
        wanted = self._entries.keys() - self._over - self._unable.keys()
        self._beyond = tuple(sorted(wanted - assigned.keys()))
        now = {
            "members": len(view.members), "mine": len(self._mine),
            "configured": len(wanted), "beyond": len(self._beyond),
        }  # fmt: skip
        if now != self._told:
            self._told = now
            log.info("cameras_shared", **now)

    def _begin(self) -> None:
        for name in sorted(self._mine - self._films.keys() - self._over - self._unable.keys()):
            context = self._context
            first = name not in self._before
            film = CameraSupervisor(name, self._entries[name], context, pinned=first)
            self._films[name] = film
            film.start()

    def _hand_over(self, view: FleetView) -> None:
        """End what is another's now: at once what waits for its lease, a few of the others."""
        now, held, elsewhere = monotonic(), self._keeper.held, view.held
        self._moving = {
            name: until
            for name, until in self._moving.items()
            if until > now and elsewhere.get(name) in (None, self._keeper.member_id)
        }
        for name, film in self._films.items():
            if name in self._mine or film.stopped:
                continue
            if name in held:
                if len(self._moving) >= MOVES or not cost_of(self._entries[name]).movable:
                    continue
                self._moving[name] = now + _MOVED_S
            film.stop()

    def _say_beyond(self) -> None:
        """Say, now and then, that cameras are filmed by nobody."""
        if not self._beyond:
            self._say_beyond_at = 0.0
        elif not self._say_beyond_at:
            self._say_beyond_at = monotonic() + _SAY_AFTER_S
        elif monotonic() >= self._say_beyond_at:
            self._say_beyond_at = monotonic() + _SAY_EACH_S
            log.error("cameras_without_a_process", why=self._sentence())

    def _sentence(self) -> str:
        names = ", ".join(self._beyond[:_NAMES]) + (", ..." if len(self._beyond) > _NAMES else "")
        members = self._seen[0].members if self._seen else ()
        room = sum(each.room for each in members if not each.leaving)
        return (
            f"{len(self._beyond)} of {self.configured} cameras are filmed by nobody ({names}): the"
            f" {len(members)} processes of ingest have room for {room}. Start more of them, or"
            " raise ingest.max_cameras where they have CPU to spare."
        )
