"""Supervises one camera: its lease, its hours, and beginning again.

    take the lease ─▶ wait for the deployment's hours ─▶ film ─▶ give the lease back
            ▲                                             │
            └──────────── a live camera ──────────────────┘

A connection that fails is made again inside `film`, under the same lease and the next epoch
(`adapters/capture/live.py`). A lease that is lost ends the filming at once. Whatever happens to
one camera, the others do not notice. Which cameras a process supervises: `sharing.py`.

A live camera is never over: after the deployment's hours it waits as before them, and so it does
while the deployment is paused, stopped or closed, or its state is unknown. If the process ended,
its supervisor would start it again and again.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.capture import FROZEN_AFTER_S, is_live, open_source
from openlfr.adapters.capture.live import Backoff
from openlfr.adapters.telemetry import tracing
from openlfr.domain.addresses import hide_addresses
from openlfr.domain.errors import BadInput, Misconfigured, OpenLFRError, Unavailable
from openlfr.domain.frames import StartOrigin
from openlfr.in_force import NotInForce
from openlfr_ingest.filming import FilmingSession, Senders

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.adapters.capture import Source
    from openlfr.in_force import DeploymentInForce
    from openlfr.settings.cameras import Camera
    from openlfr_ingest.leases import LeaseKeeper

_LOOK_S = 0.3  # between two looks whether the deployment is in force
_WAITS = {
    NotInForce.UNKNOWN: "waits_for_control",
    NotInForce.PAUSED: "waits_while_paused",
    NotInForce.OTHER_CAMERA: "not_of_deployment",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IngestContext:
    """What all cameras of a process share.

    Attributes:
        deployment: While it is not in force no camera is connected to.
        senders: Of frames and tallies.
        keeper: Of the leases.
        as_fast_as_possible: Files are read as fast as Kafka takes them.
        lossless: No frame of a file is dropped.
        epoch: That the first connection to a camera carries; None for one more than the last.
        frozen_after_s: How long a live camera may send nothing.
        now: The clock.
    """

    deployment: DeploymentInForce
    senders: Senders
    keeper: LeaseKeeper
    as_fast_as_possible: bool = False
    lossless: bool = False
    epoch: int | None = None
    frozen_after_s: float = FROZEN_AFTER_S
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class CameraSupervisor:
    """One camera and its thread.

    Attributes:
        problem: Why it is over before its end, a sentence; empty else.
        ended: Whether it is a file that was filmed to its end.
        failure: What every camera needs and does not answer; None while all do.
    """

    def __init__(
        self, camera: str, entry: Camera, context: IngestContext, *, pinned: bool = True
    ) -> None:
        """Prepare; `start` begins.

        Args:
            camera: Its name.
            entry: Of the configuration.
            context: What all cameras share.
            pinned: Whether its first connection carries the context's epoch, if that says one.
        """
        self.camera = camera
        self.live = is_live(entry.url)
        self.problem = ""
        self.ended = False
        self.failure: OpenLFRError | None = None
        self._entry = entry
        self._context = context
        self._pinned = context.epoch if pinned else None
        self._thread = threading.Thread(target=self._run, name=f"film-{camera}", daemon=True)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._cut = threading.Event()  # ends this filming, not the supervision
        self._source: Source | None = None
        self._filming: FilmingSession | None = None
        self._counts: Counter[str] = Counter()  # of what was filmed before
        self._sent_before = 0.0  # of what was filmed before: when a frame last reached Kafka
        self._wanted_since = 0.0  # seconds since 1970; 0 while it is not to be filmed
        self._backoff = Backoff()

    @property
    def counts(self) -> Counter[str]:
        """As of `FilmingSession`, and leases_lost, crashes, and how often it waited, by the reason.

        waits_for_hours, hours_over, waits_while_paused, waits_for_control, not_of_deployment.
        """
        with self._lock:
            return self._counts + (self._filming.counts if self._filming else Counter())

    @property
    def silent_since(self) -> float | None:
        """Seconds since 1970 at which a frame last reached Kafka, or should have begun to.

        None while none is to come: while the deployment is not in force, or after a file's end.
        What is over for another reason is silent.
        """
        with self._lock:
            if self._filming is not None and self._filming.waits:
                return None
            sent = max(self._sent_before, self._filming.last_sent if self._filming else 0.0)
            wanted = self._wanted_since
        return max(sent, wanted) if wanted else None

    @property
    def outside_hours(self) -> bool:
        """Whether it waits for the deployment: for its hours, or since it is paused or unknown."""
        if (filming := self._filming) is not None and filming.waits:
            return True
        return not self._wanted_since and not self.is_over()

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    @property
    def stopped(self) -> bool:
        """Whether it was asked to end."""
        return self._stopped.is_set()

    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return not self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it is over."""
        self._thread.join(timeout)

    def stop(self) -> None:
        """End it; `join` waits until it has."""
        self._stopped.set()
        self._end_filming(cut=True)

    def lose_lease(self) -> None:
        """Somebody else may film the camera now: not one more frame."""
        log.warning("lease_lost", camera=self.camera)
        self._count("leases_lost")
        self._end_filming(cut=True)

    def end_hours(self) -> None:
        """The deployment is over or paused: a live camera is not filmed now."""
        if self.live:
            self._end_filming(cut=False)

    def _end_filming(self, *, cut: bool) -> None:
        with self._lock:
            if cut:
                self._cut.set()
            source = self._source
        if source is not None:
            source.close()

    def _run(self) -> None:
        """The thread's work."""
        if not self.live:
            self._want()
        self._film_on()
        try:
            self._context.keeper.give_back(self.camera, over=self.ended)
        except Unavailable as error:
            log.warning("lease_not_given_back", camera=self.camera, why=str(error))
        if self.problem or self.failure:
            log.error("camera_is_over", camera=self.camera, why=self.problem or str(self.failure))
        else:
            self._want(wanted=False)

    def _film_on(self) -> None:
        """Film until nothing more comes of it."""
        while not self._stopped.is_set():
            try:
                first = self._pinned if self._filming is None else None
                if not self._context.keeper.take(self.camera, epoch=first, stop=self._stopped):
                    return
                if self.live and not self._wait_until_in_force():
                    return
                if not self._film_once():
                    return
            except (BadInput, Misconfigured) as error:
                self.problem = str(error)
                return
            except Unavailable as error:
                if not self.live:  # nothing of it may be lost
                    self.failure = error
                    return
                log.warning("filming_failed", camera=self.camera, why=str(error))
            except Exception as error:
                why = hide_addresses(f"{type(error).__name__}: {error}")
                self.problem = f"Camera {self.camera} failed: {why}"
                if not self.live:
                    return
                self._count("crashes")
                log.exception("filming_crashed", camera=self.camera)
            self._stopped.wait(self._backoff.pause())

    def _wait_until_in_force(self) -> bool:
        """Wait until the deployment is in force; False if the wait is ended."""
        deployment, told = self._context.deployment, ""
        while not self._stopped.is_set():
            now = self._context.now()
            why = deployment.skip_reason(now, self.camera)
            if why is None:
                self._want()
                return True
            self._want(wanted=False)
            starts, ends = deployment.hours
            state = _WAITS.get(why) or ("waits_for_hours" if now < starts else "hours_over")
            if state != told:
                told = state
                self._count(state)
                log.info(
                    state,
                    camera=self.camera,
                    hours=f"{starts} to {ends}",
                    why=deployment.status_message(),
                )
            self._stopped.wait(_LOOK_S)
        return False

    def _want(self, *, wanted: bool = True) -> None:
        """From now on frames are to come, or none; nothing changes where it was so already."""
        with self._lock:
            self._wanted_since = (self._wanted_since or time.time()) if wanted else 0.0

    def _film_once(self) -> bool:
        """Film while the source lasts and the lease is ours; whether to begin again."""
        context, entry = self._context, self._entry
        with self._lock:
            if self._stopped.is_set():
                return False
            self._cut.clear()
        first_epoch = context.keeper.next_epoch(self.camera)
        if first_epoch is None:
            return True
        begun, now = time.monotonic(), context.now()
        source = open_source(
            self.camera,
            entry.url,
            epoch=first_epoch,
            start=entry.start,
            assumed_start=now,
            fps=entry.fps,
            loop=entry.loop,
            frozen_after_s=context.frozen_after_s,
            next_epoch=lambda connects: self._connected(first_epoch, connects),
            on_connection_lost=lambda why, connected: self._lost(filming, why, connected=connected),
        )
        filming = FilmingSession(
            self.camera,
            source,
            context.senders,
            context.deployment,
            loop=entry.loop,
            paced=not context.as_fast_as_possible,
            lossless=context.lossless,
            begun=begun,
            traceparent=tracing.begin_trace,
        )
        with self._lock:
            if self._filming:
                self._counts += self._filming.counts
                self._sent_before = max(self._sent_before, self._filming.last_sent)
            self._source, self._filming = source, filming
        if self._cut.is_set() or self._stopped.is_set():
            source.close()
        log.info("filming", camera=self.camera, epoch=first_epoch)
        if source.start_origin is StartOrigin.ASSUMED:
            log.warning(
                "time_assumed", camera=self.camera, start=source.start.isoformat(),
                why="recording, time assumed: nothing says when it was filmed",
                do=f"set cameras.{self.camera}.start",
            )  # fmt: skip
        filming.go(self._cut)
        self._backoff.reset()
        if self.live:
            never = not source.counters.connects and source.problems
            self.problem = source.problems[-1] if never else ""
            return True
        self.ended = not self._cut.is_set()
        return not self.ended

    def _connected(self, first_epoch: int, connects: int) -> int:
        """A connection gives its first picture: the epoch of what it will give.

        Raises:
            Unavailable: The lease is lost, or Redis does not answer.
        """
        epoch = self._context.keeper.next_epoch(self.camera) if connects else first_epoch
        if epoch is None:
            raise Unavailable(f"Camera {self.camera}: its lease is lost.")
        log.info("camera_connected", camera=self.camera, epoch=epoch)
        return epoch

    def _lost(self, filming: FilmingSession, why: Unavailable, *, connected: bool) -> None:
        """A connection has failed."""
        log.warning("camera_lost", camera=self.camera, why=str(why))
        if connected:
            filming.lost(self._cut)

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1
