"""Wires the ingest service: a thread for each camera, until their sources end or it is stopped."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from openlfr import bootstrap
from openlfr.adapters.capture import open_source
from openlfr.adapters.kafka_producer import RecordSender
from openlfr.adapters.kafka_topics import FRAMES
from openlfr.domain.errors import BadInput, Misconfigured, OpenLFRError, Unavailable
from openlfr.settings import require_authorisation
from openlfr_ingest.filming import Filming
from openlfr_ingest.leases import Holding

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from openlfr.adapters.redis_leases import CameraLeases
    from openlfr.settings import Deployment, Settings

ROOM = 32  # frames on their way, of all cameras
_LIVE, _LOSSLESS = timedelta(seconds=5), timedelta(seconds=120)  # how long a frame may be tried

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Order:
    """What this process is asked to film.

    Attributes:
        cameras: Their names; empty for all of the configuration.
        epoch: That frames carry; None for one more than the last of each camera.
        as_fast_as_possible: Files are read as fast as Kafka takes them.
    """

    cameras: tuple[str, ...] = ()
    epoch: int | None = None
    as_fast_as_possible: bool = False


@dataclass(frozen=True, slots=True)
class Filmed:
    """What became of it.

    Attributes:
        counts: Of each camera's frames, by what became of them.
        problems: A sentence for each camera that broke off or could not be opened.
        stopped: Whether it was stopped before the sources ended.
    """

    counts: dict[str, Counter[str]]
    problems: tuple[str, ...]
    stopped: bool


def run(settings: Settings, order: Order, stop: threading.Event | None = None) -> Filmed:
    """Film until the sources end, or `stop` is set (SIGTERM does).

    Raises:
        Misconfigured: No authorisation, no such camera, a wrong topic.
        Unavailable: Kafka or Redis does not answer.
    """
    deployment = require_authorisation(settings)
    wanted = order.cameras or tuple(settings.cameras)
    if not wanted:
        raise Misconfigured(f"{settings.path} names no camera: add one under cameras.")
    if unknown := [name for name in wanted if name not in settings.cameras]:
        raise Misconfigured(f"{settings.path} names no camera {', '.join(unknown)}.")
    brokers = bootstrap.kafka_brokers(settings)
    bootstrap.require_topics(settings)
    with ExitStack() as closing:
        leases = bootstrap.open_leases(settings, deployment.name)
        lossless = settings.max_age is None
        sender = RecordSender(
            brokers,
            FRAMES.name,
            room=ROOM,
            delivery=_LOSSLESS if lossless else _LIVE,
            max_bytes=int(FRAMES.configs["max.message.bytes"]),
        )
        closing.callback(sender.close)
        return _Studio(settings, deployment, order, sender, leases, stop).go(wanted, closing)


class _Studio:
    """All cameras of this process."""

    def __init__(
        self,
        settings: Settings,
        deployment: Deployment,
        order: Order,
        sender: RecordSender,
        leases: CameraLeases,
        stop: threading.Event | None,
    ) -> None:
        self._settings = settings
        self._deployment = deployment
        self._order = order
        self._sender = sender
        self._stop = stop or threading.Event()
        self._stops: dict[str, threading.Event] = {}
        self._holding = Holding(leases, self._lost)
        self._counts: dict[str, Counter[str]] = {}
        self._problems: list[str] = []
        self._failure: OpenLFRError | None = None
        self._begun = datetime.now(UTC)

    def go(self, cameras: Sequence[str], closing: ExitStack) -> Filmed:
        """Film them all, each in a thread."""
        closing.callback(self._holding.close)
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
            closing.callback(signal.signal, signal.SIGTERM, before)
        self._holding.start()
        self._stops = {camera: threading.Event() for camera in cameras}
        threads = [
            threading.Thread(target=self._film, args=(camera,), name=f"film-{camera}", daemon=True)
            for camera in cameras
        ]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) and not self._stop.is_set():
                for thread in threads:
                    thread.join(0.1)
        finally:
            stopped = any(thread.is_alive() for thread in threads)
            for each in self._stops.values():
                each.set()
            for thread in threads:
                thread.join()
        if self._failure is not None:
            raise self._failure
        if self._sender.failed and self._settings.max_age is None:
            raise Unavailable(f"Kafka did not take every frame: {self._sender.failed}.")
        return Filmed(self._counts, tuple(self._problems), stopped)

    def _film(self, camera: str) -> None:
        """A thread's work: take the camera, film it, give it back."""
        stop = self._stops[camera]
        try:
            lease = self._holding.take(camera, epoch=self._order.epoch, stop=stop)
            if lease is None:
                return
            entry = self._settings.cameras[camera]
            source = open_source(
                camera,
                entry.url,
                epoch=lease.epoch,
                start=entry.start or self._begun,
                fps=entry.fps,
                loop=entry.loop,
            )
            filming = Filming(
                source,
                self._sender,
                self._deployment,
                loop=entry.loop,
                paced=not self._order.as_fast_as_possible,
                lossless=self._settings.max_age is None,
            )
            self._counts[camera] = filming.counts
            log.info("filming", camera=camera, epoch=lease.epoch)
            try:
                filming.go(stop)
            finally:
                self._sender.flush(_LIVE if stop.is_set() else _LOSSLESS)
                self._holding.give_back(camera)
        except BadInput as error:
            self._problems.append(str(error))
        except OpenLFRError as error:
            self._failure = error
            self._stop.set()
        except Exception as error:  # noqa: BLE001 - a thread's edge: told, never lost
            self._problems.append(f"Camera {camera} failed: {type(error).__name__}: {error}")

    def _lost(self, camera: str) -> None:
        """Somebody else may film the camera now."""
        log.warning("lease_lost", camera=camera)
        self._problems.append(f"Camera {camera}: its lease was lost, so filming stopped.")
        self._stops[camera].set()
