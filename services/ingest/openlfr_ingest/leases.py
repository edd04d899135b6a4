"""Keeps this process a member, and the leases of the cameras that it films.

One thread talks to Redis for all cameras: a heartbeat a second, and the waiting requests in one
command. A camera's own thread asks Redis only for the epoch of another connection.

After Redis was away or slow, or this process was frozen for longer than a lease lasts, nothing is
taken and nothing handed over for a while, since the others' heartbeats may be as late as ours: only
what this process held before is kept, under the same epoch, where nobody has had the camera
meanwhile. That is for a while, not for as long as Redis is slow: who is dead must be replaced.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.redis.leases import FleetView, LeaseRequest
from openlfr.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openlfr.adapters.redis.leases import CameraLeases, HeartbeatResult
    from openlfr.domain.sharing import Cost

BEAT_S, MOVING_S = 1.0, 0.5  # between heartbeats; while cameras are waited for
_GATHER_S = 0.02  # cameras that begin to wait together are asked for together
_LONGEST = 3  # times a lease: for how long what is seen may count as late
_LOOK_S = 0.2  # how often who waits for a lease looks whether it is to end

log = structlog.get_logger()


@dataclass(slots=True)
class _Held:
    """A lease of this process.

    Attributes:
        epoch: The camera's last one.
        fresh: Whether no connection has carried it yet.
    """

    epoch: int
    fresh: bool = True


@dataclass(slots=True)
class _Waiting:
    """A camera's thread that waits for its lease."""

    request: LeaseRequest
    done: threading.Event = field(default_factory=threading.Event)
    refused: BadInput | None = None


class LeaseKeeper:
    """The membership of this process and its leases.

    Attributes:
        view: Who is alive and films what; replaced whole when it changes.
        at_ms: Redis' clock when this process became a member.
    """

    def __init__(
        self,
        leases: CameraLeases,
        cameras: Mapping[str, Cost],
        *,
        room: int,
        on_lost: Callable[[str], None],
    ) -> None:
        """Be no member yet.

        Args:
            leases: In Redis; closed by `close`.
            cameras: What this process can film.
            room: How many at most.
            on_lost: Called with a camera that somebody else may film now.
        """
        self.view = FleetView((), {}, {})
        self.at_ms = 0
        self._leases = leases
        self._cameras = dict(cameras)
        self._room = room
        self._on_lost = on_lost
        self._held: dict[str, _Held] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._changed = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._leaving = False
        self._joined = self._beaten = self._settled = 0.0  # by the monotonic clock
        self._unsettled = 0.0  # since when heartbeats have come late; 0 while they do not
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    @property
    def member_id(self) -> str:
        """This process among the members."""
        return self._leases.member_id

    @property
    def settled(self) -> bool:
        """Whether what this process sees is what the others see."""
        return monotonic() >= self._settled and not self._failing

    @property
    def takes_over(self) -> bool:
        """Whether cameras may be taken of those who were never seen alive.

        They have had time to show that they live: Redis may have been away for all of us.
        """
        ttl_s = self._leases.ttl.total_seconds()
        return monotonic() >= max(self._settled, self._joined + ttl_s)

    @property
    def silent_s(self) -> float:
        """For how long Redis has not answered a heartbeat."""
        return monotonic() - self._beaten

    @property
    def held(self) -> frozenset[str]:
        """The cameras that are held."""
        with self._changed:
            return frozenset(self._held)

    def start(self) -> None:
        """Become a member, and stay one.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._joined = self._beaten = monotonic()
        self._beat()
        self._settled = monotonic() + MOVING_S  # others that start now are seen with the next one
        self._thread.start()

    def take(self, camera: str, *, epoch: int | None, stop: threading.Event) -> bool:
        """Wait for a camera's lease; False if `stop` is set before. At once where it is held.

        Args:
            camera: Its name.
            epoch: That its first connection is to carry; None for one that was never.
            stop: Ends the waiting.

        Raises:
            BadInput: The camera has had a higher epoch.
        """
        waiting = _Waiting(LeaseRequest(camera, epoch))
        with self._changed:
            if camera in self._held:
                return not stop.is_set()
            self._waiting[camera] = waiting
        self._wake.set()
        try:
            while not stop.is_set():
                if waiting.done.wait(_LOOK_S):
                    break
        finally:
            with self._changed:
                self._waiting.pop(camera, None)
        if waiting.refused is not None:
            raise waiting.refused
        return waiting.done.is_set() and not stop.is_set()

    def next_epoch(self, camera: str) -> int | None:
        """The epoch of a connection to a camera: one that none has carried; None if it is lost.

        Raises:
            Unavailable: Redis does not answer.
        """
        with self._changed:
            held = self._held.get(camera)
            if held is not None and held.fresh:
                held.fresh = False
                return held.epoch
        epoch = None if held is None else self._leases.next_epoch(camera)
        if held is not None and epoch is not None:
            held.epoch = epoch
        return epoch

    def give_back(self, camera: str, *, over: bool = False) -> None:
        """Give a camera back; `over` says that nobody is to begin it again.

        Raises:
            Unavailable: Redis does not answer; the lease runs out with this process.
        """
        with self._changed:
            held = self._held.pop(camera, None)
        if held is not None:
            self._leases.release(camera, over=over)

    def drop(self, camera: str) -> None:
        """This process cannot film a camera: others are to try."""
        with self._changed:
            self._cameras = {name: cost for name, cost in self._cameras.items() if name != camera}
        self._wake.set()

    def leave(self) -> None:
        """Take nothing more: what is given back from now on is for the others."""
        self._leaving = True
        self._wake.set()

    def close(self) -> None:
        """Be no member any more."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
            with suppress(Unavailable):  # then others learn it when our heartbeat is missing
                self._leases.leave()
        self._leases.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._wake.wait(MOVING_S if self._waiting else BEAT_S):
                self._stop.wait(_GATHER_S)
                self._wake.clear()
            if self._stop.is_set():
                return
            try:
                self._beat()
                self._grant()
                self._failing = False
            except Unavailable as error:  # what is filmed goes on
                if not self._failing:
                    log.warning("leases_not_renewed", why=str(error))
                self._failing = True
            except Exception:  # a fault of ours: the thread lives on
                log.exception("leases_not_renewed")

    def _beat(self) -> None:
        with self._changed:
            held, cameras = tuple(self._held), self._cameras
        asked = monotonic()
        result = self._leases.heartbeat(cameras, held, room=self._room, leaving=self._leaving)
        self._note_lapse(result, asked)
        if result.lost:
            self._reclaim(result.lost)
        if result.view is not None:
            self.view = result.view

    def _note_lapse(self, result: HeartbeatResult, asked: float) -> None:
        """See whether this heartbeat came so late that the others' may, too.

        A process that is merely slow is late by itself, and the others are not.
        """
        now, ttl_s = monotonic(), self._leases.ttl.total_seconds()
        late_s, first = now - self._beaten, not self.at_ms
        self._beaten = now
        if first:
            self.at_ms = result.at_ms
        elif result.joined or self._failing or now - asked > ttl_s / 2:
            if result.joined or self._failing or not self._unsettled:
                log.warning("leases_renewed_late", late_s=round(late_s, 1), lapsed=result.joined)
            self._unsettled = self._unsettled or now
            self._settled = min(now + ttl_s, self._unsettled + _LONGEST * ttl_s)
        else:
            self._unsettled = 0.0

    def _reclaim(self, cameras: tuple[str, ...]) -> None:
        """Keep what nobody has had meanwhile; the rest is lost."""
        with self._changed:
            requests = [
                LeaseRequest(name, self._held[name].epoch) for name in cameras if name in self._held
            ]
        kept = self._leases.acquire(requests)
        for request in requests:
            if isinstance(kept.get(request.camera), int):
                continue
            with self._changed:
                lost = self._held.pop(request.camera, None)
            if lost is not None:
                self._on_lost(request.camera)

    def _grant(self) -> None:
        """Take what cameras wait for, all with one command."""
        if not self.settled:
            return
        with self._changed:
            waiting = dict(self._waiting)
        taken = self._leases.acquire([each.request for each in waiting.values()])
        for camera, answer in taken.items():
            with self._changed:
                mine = self._waiting.get(camera) is waiting[camera]
                if isinstance(answer, BadInput):
                    waiting[camera].refused = answer
                elif mine:
                    self._held[camera] = _Held(answer)
            if mine:
                waiting[camera].done.set()
            elif not isinstance(answer, BadInput):  # who waited for it has gone
                self._leases.release(camera)
