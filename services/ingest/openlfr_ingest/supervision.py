"""Supervises one camera: acquires its lease, waits for its hours, films it, and repeats.

    acquire the lease ─▶ wait for the deployment's hours ─▶ film ─▶ release the lease
            ▲                                                │
            └──────────── a live camera ─────────────────────┘

A failed connection is repeated inside `film`, under the same lease and with the next epoch
(`adapters/capture/live.py`). When the lease is lost, filming ends at once. A failure of one camera
does not affect other cameras. `camera_share.py` decides which cameras a process supervises.

The supervision of a live camera never ends. It waits before and after the deployment's hours, and
while the deployment is paused, stopped, closed or unknown. If the process ended instead, Kubernetes
would start it again and again.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.capture import is_live
from openlfr.adapters.telemetry import tracing
from openlfr.domain.addresses import redact_addresses
from openlfr.domain.errors import BadInput, Misconfigured, OpenLFRError, Unavailable
from openlfr.domain.frames import StartOrigin
from openlfr.in_force import NotInForce
from openlfr_ingest.camera_status import CameraStatus
from openlfr_ingest.filming import FilmingSession

if TYPE_CHECKING:
    from collections import Counter

    from openlfr.adapters.capture import Source
    from openlfr.settings.cameras import Camera
    from openlfr_ingest.context import IngestContext

_WAITS = {
    NotInForce.UNKNOWN: "waits_for_control",
    NotInForce.PAUSED: "waits_while_paused",
    NotInForce.OTHER_CAMERA: "not_of_deployment",
}

log = structlog.get_logger()


class CameraSupervisor:
    """Supervises one camera, in a thread of its own.

    Attributes:
        status: Counts and times of the camera.
        problem: The reason why the camera ended early, as a sentence; empty otherwise.
        ended: Whether the camera is a file that was filmed to the end.
        failure: The error of a service that all cameras need; None without one.
    """

    def __init__(
        self, camera: str, entry: Camera, context: IngestContext, *, pinned: bool = True
    ) -> None:
        """Prepare the thread; `start` starts it.

        Args:
            camera: Name of the camera.
            entry: The camera's entry in the configuration.
            context: Services and options of the process.
            pinned: Whether the first connection uses the context's epoch, if it has one.
        """
        self.camera = camera
        self.live = is_live(entry.url)
        self.status = CameraStatus()
        self.problem = ""
        self.ended = False
        self.failure: OpenLFRError | None = None
        self._entry = entry
        self._context = context
        self._pinned_epoch = context.epoch if pinned else None
        self._thread = threading.Thread(target=self._run, name=f"film-{camera}", daemon=True)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._session_stop = threading.Event()  # ends the filming session, not the supervision
        self._source: Source | None = None
        self._backoff = context.backoff()

    @property
    def counts(self) -> Counter[str]:
        """`CameraStatus.counts` of the camera."""
        return self.status.counts

    @property
    def silent_since(self) -> float | None:
        """`CameraStatus.silent_since` of the camera."""
        return self.status.silent_since

    @property
    def outside_hours(self) -> bool:
        """Whether the camera waits for its hours, the end of a pause, or a known state."""
        if (session := self.status.session) is not None and session.is_paused:
            return True
        return not self.status.is_wanted and not self.is_over()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def is_over(self) -> bool:
        """Return whether the thread has ended."""
        return not self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the thread."""
        self._thread.join(timeout)

    def stop(self) -> None:
        """Request the end of the thread; `join` waits for it."""
        self._stopped.set()
        self._end_session(lease_ends=True)

    def lose_lease(self) -> None:
        """Stop filming at once: another process may film the camera now."""
        log.warning("lease_lost", camera=self.camera)
        self.status.count("leases_lost")
        self._end_session(lease_ends=True)

    def disconnect(self) -> None:
        """Disconnect a live camera, since its deployment is no longer in force."""
        if self.live:
            self._end_session(lease_ends=False)

    def _end_session(self, *, lease_ends: bool) -> None:
        with self._lock:
            if lease_ends:
                self._session_stop.set()
            source = self._source
        if source is not None:
            source.close()

    def _run(self) -> None:
        """Supervise the camera until it is over or stopped, then release its lease."""
        if not self.live:
            self.status.set_wanted()
        self._film_until_over()
        try:
            self._context.keeper.release(self.camera, is_finished=self.ended)
        except Unavailable as error:
            log.warning("lease_not_given_back", camera=self.camera, why=str(error))
        if self.problem or self.failure:
            log.error("camera_is_over", camera=self.camera, why=self.problem or str(self.failure))
        else:
            self.status.set_wanted(wanted=False)

    def _film_until_over(self) -> None:
        """Film until the camera is over or stopped; try again after failures."""
        while not self._stopped.is_set():
            try:
                epoch = self._pinned_epoch if self.status.session is None else None
                if not self._context.keeper.acquire(self.camera, epoch=epoch, stop=self._stopped):
                    return
                if self.live and not self._wait_until_in_force():
                    return
                if not self._film_once():
                    return
            except (BadInput, Misconfigured) as error:
                self.problem = str(error)
                return
            except Unavailable as error:
                if not self.live:  # end the run, since no frame of a file may be lost
                    self.failure = error
                    return
                log.warning("filming_failed", camera=self.camera, why=str(error))
            except Exception as error:
                why = redact_addresses(f"{type(error).__name__}: {error}")
                self.problem = f"Camera {self.camera} failed: {why}"
                if not self.live:
                    return
                self.status.count("crashes")
                log.exception("filming_crashed", camera=self.camera)
            self._stopped.wait(self._backoff.next_pause_s())

    def _wait_until_in_force(self) -> bool:
        """Wait until the deployment is in force; return False if `stop` ended the wait."""
        deployment, last_state = self._context.deployment, ""
        while not self._stopped.is_set():
            now = self._context.now()
            why = deployment.skip_reason(now, self.camera)
            if why is None:
                self.status.set_wanted()
                return True
            self.status.set_wanted(wanted=False)
            starts, ends = deployment.hours
            state = _WAITS.get(why) or ("waits_for_hours" if now < starts else "hours_over")
            if state != last_state:
                last_state = state
                self.status.count(state)
                log.info(
                    state,
                    camera=self.camera,
                    hours=f"{starts} to {ends}",
                    why=deployment.status_message(),
                )
            self._stopped.wait(self._context.check_s)
        return False

    def _film_once(self) -> bool:
        """Film until the source ends or the lease is lost; return whether to film again."""
        context, entry = self._context, self._entry
        with self._lock:
            if self._stopped.is_set():
                return False
            self._session_stop.clear()
        first_epoch = context.keeper.next_epoch(self.camera)
        if first_epoch is None:
            return True
        first_frame_due, now = time.monotonic(), context.now()
        source = context.open_source(
            self.camera,
            entry.url,
            epoch=first_epoch,
            start=entry.start,
            assumed_start=now,
            fps=entry.fps,
            loop=entry.loop,
            frozen_after_s=context.frozen_after_s,
            next_epoch=lambda connects: self._epoch_of_connection(first_epoch, connects),
            on_connection_lost=lambda why, connected: self._on_connection_lost(
                session, why, connected=connected
            ),
        )
        session: FilmingSession = FilmingSession(
            self.camera,
            source,
            context.senders,
            context.deployment,
            loop=entry.loop,
            paced=not context.as_fast_as_possible,
            lossless=context.lossless,
            first_frame_due=first_frame_due,
            traceparent=tracing.begin_trace,
        )
        self.status.begin_session(session)
        with self._lock:
            self._source = source
        if self._session_stop.is_set() or self._stopped.is_set():
            source.close()
        log.info("filming", camera=self.camera, epoch=first_epoch)
        if source.start_origin is StartOrigin.ASSUMED:
            log.warning(
                "time_assumed", camera=self.camera, start=source.start.isoformat(),
                why="recording, time assumed: the file contains no recording date",
                do=f"set cameras.{self.camera}.start",
            )  # fmt: skip
        session.run(self._session_stop)
        self._backoff.reset()
        if self.live:
            never_connected = not source.counters.connects and source.problems
            self.problem = source.problems[-1] if never_connected else ""
            return True
        self.ended = not self._session_stop.is_set()
        return not self.ended

    def _epoch_of_connection(self, first_epoch: int, connects: int) -> int:
        """Return the epoch of a connection that has just returned its first picture.

        Raises:
            Unavailable: The lease is lost, or Redis does not answer.
        """
        epoch = self._context.keeper.next_epoch(self.camera) if connects else first_epoch
        if epoch is None:
            raise Unavailable(f"Camera {self.camera}: its lease is lost.")
        log.info("camera_connected", camera=self.camera, epoch=epoch)
        return epoch

    def _on_connection_lost(
        self, session: FilmingSession, why: Unavailable, *, connected: bool
    ) -> None:
        """Log that a connection failed; end the epoch if the connection had returned a picture."""
        log.warning("camera_lost", camera=self.camera, why=str(why))
        if connected:
            session.end_epoch(self._session_stop)
