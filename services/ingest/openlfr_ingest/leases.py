"""Keeps this process a member of the ingest fleet, and keeps the leases of its cameras.

One thread talks to Redis for all cameras: a heartbeat a second, and the waiting requests in one
command. A camera's own thread asks Redis only for the epoch of another connection.

After an outage of Redis, or a pause of this process that is longer than a lease, cameras are for a
while neither acquired nor handed over, since the heartbeats of the others may be as late as ours.
The process keeps only the cameras that it held before, under the same epoch, if no other process
has had them. This time is limited, even if Redis stays slow: dead processes must be replaced.
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

HEARTBEAT_S, WAITING_S = 1.0, 0.5  # between heartbeats; between them while a camera waits
_GATHER_S = 0.02  # requests within this time go into one command
_MAX_UNSETTLED_TTLS = 3  # lease lifetimes after which the view is trusted again
_CHECK_S = 0.2  # how often a waiting camera checks whether it is to stop

log = structlog.get_logger()


@dataclass(slots=True)
class _HeldLease:
    """A lease of this process.

    Attributes:
        epoch: The camera's last epoch.
        is_unused: Whether no connection has had this epoch yet.
    """

    epoch: int
    is_unused: bool = True


@dataclass(slots=True)
class _WaitingRequest:
    """The request of a camera's thread that waits for its lease."""

    request: LeaseRequest
    done: threading.Event = field(default_factory=threading.Event)
    rejected: BadInput | None = None


class LeaseKeeper:
    """The membership of this process and its leases.

    Attributes:
        view: The live members and their cameras; a new object when anything changes.
        joined_at_ms: Redis' clock when this process became a member.
    """

    def __init__(
        self,
        leases: CameraLeases,
        cameras: Mapping[str, Cost],
        *,
        room: int,
        on_lost: Callable[[str], None],
    ) -> None:
        """Prepare; `start` makes this process a member.

        Args:
            leases: The leases in Redis; closed by `close`.
            cameras: Cameras that this process can film, with their cost.
            room: Greatest number of cameras that this process films.
            on_lost: Called with a camera that another process may film now.
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
        # By the monotonic clock: when it joined, last heartbeat, from when on the view is trusted.
        self._joined_s = self._last_heartbeat_s = self._settled_from_s = 0.0
        self._late_since_s = 0.0  # since when heartbeats have been late; 0 while they are not
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    @property
    def member_id(self) -> str:
        """Id of this process among the members."""
        return self._leases.member_id

    @property
    def is_settled(self) -> bool:
        """Whether this process can trust its view of the others."""
        return monotonic() >= self._settled_from_s and not self._is_failing

    @property
    def may_take_over(self) -> bool:
        """Whether cameras of holders that were never seen alive may be acquired.

        These holders have had time for a heartbeat: Redis may have been away for all processes.
        """
        ttl_s = self._leases.ttl.total_seconds()
        return monotonic() >= max(self._settled_from_s, self._joined_s + ttl_s)

    @property
    def silent_s(self) -> float:
        """Seconds since Redis last answered a heartbeat."""
        return monotonic() - self._last_heartbeat_s

    @property
    def held(self) -> frozenset[str]:
        """Cameras whose leases this process holds."""
        with self._lock:
            return frozenset(self._held)

    def start(self) -> None:
        """Become a member, and send heartbeats from now on.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._joined_s = self._last_heartbeat_s = monotonic()
        self._send_heartbeat()
        self._settled_from_s = monotonic() + WAITING_S  # the next view has others that start now
        self._thread.start()

    def acquire(self, camera: str, *, epoch: int | None, stop: threading.Event) -> bool:
        """Wait for a camera's lease; False if `stop` is set first. Returns at once if it is held.

        Args:
            camera: Name of the camera.
            epoch: Epoch of its first connection; None for one higher than any before.
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
        """A new epoch for a connection to a camera; None if its lease is lost.

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

    def release(self, camera: str, *, over: bool = False) -> None:
        """Release a camera's lease; `over` marks a file that no process is to play again.

        Raises:
            Unavailable: Redis does not answer; the lease expires with this process.
        """
        with self._lock:
            held = self._held.pop(camera, None)
        if held is not None:
            self._leases.release(camera, is_finished=over)

    def withdraw(self, camera: str) -> None:
        """Offer to film a camera no more: another process is to try."""
        with self._lock:
            self._cameras = {name: cost for name, cost in self._cameras.items() if name != camera}
        self._wake.set()

    def leave(self) -> None:
        """Acquire no more leases: cameras released from now on go to the others."""
        self._leaving = True
        self._wake.set()

    def close(self) -> None:
        """End the membership."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
            with suppress(Unavailable):  # then our missing heartbeat ends it
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
                self._is_failing = False
            except Unavailable as error:  # filming continues
                if not self._is_failing:
                    log.warning("leases_not_renewed", why=str(error))
                self._is_failing = True
            except Exception:  # our own bug: the thread continues
                log.exception("leases_not_renewed")

    def _send_heartbeat(self) -> None:
        with self._lock:
            held, cameras = tuple(self._held), self._cameras
        sent_at_s = monotonic()
        result = self._leases.heartbeat(cameras, held, room=self._room, leaving=self._leaving)
        self._record_delay(result, sent_at_s)
        if result.lost:
            self._reclaim(result.lost)
        if result.view is not None:
            self.view = result.view

    def _record_delay(self, result: HeartbeatResult, sent_at_s: float) -> None:
        """Record whether this heartbeat was so late that those of the others may be, too.

        The heartbeat of a process that is merely slow is late alone; those of the others are not.
        """
        now, ttl_s = monotonic(), self._leases.ttl.total_seconds()
        late_s, is_first = now - self._last_heartbeat_s, not self.joined_at_ms
        self._last_heartbeat_s = now
        if is_first:
            self.joined_at_ms = result.at_ms
        elif result.joined or self._is_failing or now - sent_at_s > ttl_s / 2:
            if result.joined or self._is_failing or not self._late_since_s:
                log.warning("leases_renewed_late", late_s=round(late_s, 1), lapsed=result.joined)
            self._late_since_s = self._late_since_s or now
            self._settled_from_s = min(
                now + ttl_s, self._late_since_s + _MAX_UNSETTLED_TTLS * ttl_s
            )
        else:
            self._late_since_s = 0.0

    def _reclaim(self, cameras: tuple[str, ...]) -> None:
        """Acquire expired leases again; a camera that another process has had is lost."""
        with self._lock:
            requests = [
                LeaseRequest(name, self._held[name].epoch) for name in cameras if name in self._held
            ]
        kept = self._leases.acquire(requests)
        for request in requests:
            if isinstance(kept.get(request.camera), int):
                continue
            with self._lock:
                lost = self._held.pop(request.camera, None)
            if lost is not None:
                self._on_lost(request.camera)

    def _acquire_waiting(self) -> None:
        """Acquire the leases that cameras wait for, all with one command."""
        if not self.is_settled:
            return
        with self._lock:
            waiting = dict(self._waiting)
        acquired = self._leases.acquire([each.request for each in waiting.values()])
        for camera, answer in acquired.items():
            with self._lock:
                still_waits = self._waiting.get(camera) is waiting[camera]
                if isinstance(answer, BadInput):
                    waiting[camera].rejected = answer
                elif still_waits:
                    self._held[camera] = _HeldLease(answer)
            if still_waits:
                waiting[camera].done.set()
            elif not isinstance(answer, BadInput):  # its thread waits no more
                self._leases.release(camera)
