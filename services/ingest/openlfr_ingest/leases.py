"""Renews the membership of this process in the ingest fleet, and the leases of its cameras.

One thread sends a heartbeat a second to Redis, and acquires the leases of all waiting cameras with
one command. A camera's own thread uses Redis only for the epoch of another connection.

While the view of the other processes is not trusted (`view_trust.py`), no camera is acquired or
handed over. The process only reclaims its previous leases, under the same epoch, unless another
process has acquired them.
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
from openlfr_ingest.view_trust import ViewTrust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openlfr.adapters.redis.leases import CameraLeases
    from openlfr.domain.sharing import Cost

HEARTBEAT_S, WAITING_S = 1.0, 0.5  # between two heartbeats; the latter while a camera waits
_GATHER_S = 0.02  # requests within this time are sent in one command
_CHECK_S = 0.2  # between two checks of a waiting camera whether it was stopped

log = structlog.get_logger()


@dataclass(slots=True)
class _HeldLease:
    """A lease of this process.

    Attributes:
        epoch: The camera's last epoch.
        is_unused: Whether no connection has used this epoch yet.
    """

    epoch: int
    is_unused: bool = True


@dataclass(slots=True)
class _WaitingRequest:
    """A request for a lease, for which a camera's thread waits."""

    request: LeaseRequest
    done: threading.Event = field(default_factory=threading.Event)
    rejected: BadInput | None = None


class LeaseKeeper:
    """The membership of this process and its leases.

    Attributes:
        view: The live members and their cameras; a new object after each change.
        joined_at_ms: When this process became a member, by the clock of Redis.
    """

    def __init__(
        self,
        leases: CameraLeases,
        cameras: Mapping[str, Cost],
        *,
        room: int,
        on_lost: Callable[[str], None],
    ) -> None:
        """Prepare the membership; `start` makes this process a member.

        Args:
            leases: The leases in Redis; closed by `close`.
            cameras: The cameras that this process can film, with their cost.
            room: Greatest number of cameras that this process films.
            on_lost: Called with each camera whose lease another process may have now.
        """
        self.view = FleetView((), {}, {})
        self.joined_at_ms = 0
        self._leases = leases
        self._cameras = dict(cameras)
        self._room = room
        self._on_lost = on_lost
        self._held: dict[str, _HeldLease] = {}
        self._waiting: dict[str, _WaitingRequest] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._leaving = False
        self._trust = ViewTrust(leases.ttl.total_seconds())
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    @property
    def member_id(self) -> str:
        """Id of this process among the members."""
        return self._leases.member_id

    @property
    def is_view_trusted(self) -> bool:
        """`ViewTrust.is_trusted` of this process."""
        return self._trust.is_trusted

    @property
    def may_take_over(self) -> bool:
        """`ViewTrust.may_take_over` of this process."""
        return self._trust.may_take_over

    @property
    def silent_s(self) -> float:
        """Seconds since Redis last answered a heartbeat."""
        return self._trust.silent_s

    @property
    def held(self) -> frozenset[str]:
        """The cameras whose leases this process has."""
        with self._lock:
            return frozenset(self._held)

    def start(self) -> None:
        """Become a member, and send heartbeats from now on.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._trust.begin()
        self._send_heartbeat()
        self._trust.distrust(WAITING_S)  # the next view includes processes that start now
        self._thread.start()

    def acquire(self, camera: str, *, epoch: int | None, stop: threading.Event) -> bool:
        """Wait until this process has the lease of a camera; return False if `stop` is set first.

        Args:
            camera: Name of the camera.
            epoch: Epoch of the camera's first connection; None for an epoch above all others.
            stop: Ends the wait.

        Raises:
            BadInput: The camera has had a higher epoch.
        """
        waiting = _WaitingRequest(LeaseRequest(camera, epoch))
        with self._lock:
            if camera in self._held:
                return not stop.is_set()
            self._waiting[camera] = waiting
        self._wake.set()
        try:
            while not stop.is_set():
                if waiting.done.wait(_CHECK_S):
                    break
        finally:
            with self._lock:
                self._waiting.pop(camera, None)
        if waiting.rejected is not None:
            raise waiting.rejected
        return waiting.done.is_set() and not stop.is_set()

    def next_epoch(self, camera: str) -> int | None:
        """Return a new epoch for a connection to a camera; None if its lease is lost.

        Raises:
            Unavailable: Redis does not answer.
        """
        with self._lock:
            held = self._held.get(camera)
            if held is not None and held.is_unused:
                held.is_unused = False
                return held.epoch
        epoch = None if held is None else self._leases.next_epoch(camera)
        if held is not None and epoch is not None:
            held.epoch = epoch
        return epoch

    def release(self, camera: str, *, is_finished: bool = False) -> None:
        """Release a camera's lease; `is_finished` marks a file that no process may play again.

        Raises:
            Unavailable: Redis does not answer; the lease expires with this process.
        """
        with self._lock:
            held = self._held.pop(camera, None)
        if held is not None:
            self._leases.release(camera, is_finished=is_finished)

    def withdraw(self, camera: str) -> None:
        """Stop offering to film a camera, so that another process tries."""
        with self._lock:
            self._cameras = {name: cost for name, cost in self._cameras.items() if name != camera}
        self._wake.set()

    def leave(self) -> None:
        """Acquire no more leases, so that other processes acquire the cameras released now."""
        self._leaving = True
        self._wake.set()

    def close(self) -> None:
        """End the membership, release all leases, and close the connection to Redis."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
            with suppress(Unavailable):  # then the membership expires
                self._leases.leave()
        self._leases.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._wake.wait(WAITING_S if self._waiting else HEARTBEAT_S):
                self._stop.wait(_GATHER_S)
                self._wake.clear()
            if self._stop.is_set():
                return
            try:
                self._send_heartbeat()
                self._acquire_waiting()
                self._trust.is_failing = False
            except Unavailable as error:  # filming continues
                if not self._trust.is_failing:
                    log.warning("leases_not_renewed", why=str(error))
                self._trust.is_failing = True
            except Exception:  # a bug, which must not end the thread
                log.exception("leases_not_renewed")

    def _send_heartbeat(self) -> None:
        with self._lock:
            held, cameras = tuple(self._held), self._cameras
        sent_at_s = monotonic()
        result = self._leases.heartbeat(cameras, held, room=self._room, leaving=self._leaving)
        is_first = not self.joined_at_ms
        if is_first:
            self.joined_at_ms = result.at_ms
        self._trust.record_heartbeat(sent_at_s, is_first=is_first, has_rejoined=result.joined)
        if result.lost:
            self._reclaim(result.lost)
        if result.view is not None:
            self.view = result.view

    def _reclaim(self, cameras: tuple[str, ...]) -> None:
        """Acquire expired leases again; a lease that another process acquired is lost."""
        with self._lock:
            requests = [
                LeaseRequest(name, self._held[name].epoch) for name in cameras if name in self._held
            ]
        acquired = self._leases.acquire(requests)
        for request in requests:
            if isinstance(acquired.get(request.camera), int):
                continue
            with self._lock:
                lost = self._held.pop(request.camera, None)
            if lost is not None:
                self._on_lost(request.camera)

    def _acquire_waiting(self) -> None:
        """Acquire the leases for which cameras wait, with one command."""
        if not self.is_view_trusted:
            return
        with self._lock:
            waiting = dict(self._waiting)
        results = self._leases.acquire([each.request for each in waiting.values()])
        for camera, result in results.items():
            with self._lock:
                is_awaited = self._waiting.get(camera) is waiting[camera]
                if isinstance(result, BadInput):
                    waiting[camera].rejected = result
                elif is_awaited:
                    self._held[camera] = _HeldLease(result)
            if is_awaited:
                waiting[camera].done.set()
            elif not isinstance(result, BadInput):  # its thread was stopped
                self._leases.release(camera)
