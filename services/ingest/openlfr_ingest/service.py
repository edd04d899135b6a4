"""Wires the ingest service, and films its share of the cameras until they end or it is stopped."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from openlfr import bootstrap
from openlfr.adapters.faust.progress import LoopMonitor
from openlfr.adapters.kafka.control_followers import StateFollower
from openlfr.adapters.kafka.control_reader import ControlReader
from openlfr.adapters.kafka.producer import RecordSender
from openlfr.adapters.kafka.rights import USES
from openlfr.adapters.kafka.topics import FRAMES, TALLIES
from openlfr.adapters.telemetry import control_metrics
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.adapters.telemetry.status_pages import StatusPages
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.in_force import DeploymentInForce
from openlfr.settings import require_authorisation
from openlfr.sigterm import disable_early_exit, exit_within
from openlfr_ingest import metrics as service_metrics
from openlfr_ingest.capacity import estimate_cost, max_cameras
from openlfr_ingest.context import IngestContext
from openlfr_ingest.filming import Senders
from openlfr_ingest.leases import LeaseKeeper
from openlfr_ingest.sharing import CameraShare

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from openlfr.adapters.kafka.topics import Topic
    from openlfr.settings import Settings

ROOM, ROOM_EACH = 32, 4  # frames on their way to Kafka: least number, and number per camera
_LIVE, _LOSSLESS = timedelta(seconds=5), timedelta(seconds=120)  # how long sending a frame may take
_INTERRUPTED = 130  # the exit code of `openlfr service ingest` that was stopped
_UPDATE_S = 0.1  # between two updates of the share


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """Which cameras to film, and how.

    Attributes:
        cameras: Names of the cameras; empty for all of the configuration.
        epoch: First epoch of each camera; None for one more than its last.
        as_fast_as_possible: Whether files are read as fast as Kafka accepts frames.
    """

    cameras: tuple[str, ...] = ()
    epoch: int | None = None
    as_fast_as_possible: bool = False


@dataclass(frozen=True, slots=True)
class IngestResult:
    """The outcome of an ingest run.

    Attributes:
        counts: For each filmed camera, its frames by outcome.
        problems: A sentence for each camera that broke off, failed or could not be opened.
        stopped: Whether the run was stopped before its sources ended.
    """

    counts: dict[str, Counter[str]]
    problems: tuple[str, ...]
    stopped: bool


def run(
    settings: Settings,
    request: IngestRequest,
    stop: threading.Event | None = None,
    *,
    http: tuple[str, int] | None = None,
) -> IngestResult:
    """Film until the sources end, or `stop` is set (SIGTERM and Ctrl-C do).

    Args:
        settings: The configuration.
        request: Which cameras to film, and how.
        stop: Ends the run when set.
        http: Host and port of /health/live, /health/ready and /metrics; None for no pages.

    Raises:
        Misconfigured: No authorisation, no such camera, a wrong topic.
        Unavailable: Kafka or Redis does not answer.
    """
    configured = require_authorisation(settings)
    wanted = request.cameras or tuple(settings.cameras)
    if not wanted:
        raise Misconfigured(f"{settings.path} names no camera: add one under cameras.")
    if unknown := [name for name in wanted if name not in settings.cameras]:
        raise Misconfigured(f"{settings.path} names no camera {', '.join(unknown)}.")
    brokers = bootstrap.kafka_brokers(settings)
    bootstrap.require_topics(settings, USES["ingest"].topics)
    lossless = settings.max_age is None
    with ExitStack() as closing:
        leases = bootstrap.open_leases(settings, configured.deployment_id)
        deployment = DeploymentInForce(configured, find_staleness=lambda: control.trouble())
        control_key = bootstrap.open_control_key(settings)
        control = ControlReader(
            brokers,
            key=control_key,
            followers=[StateFollower(deployment)],  # ingest does not read the watchlist
        )
        closing.callback(control.close)
        control.start()

        def open_sender(
            topic: Topic, room: int, round_robin: Sequence[str] = (), key: bytes | None = None
        ) -> RecordSender:
            sender = RecordSender(
                brokers,
                topic.name,
                room=room,
                delivery=_LOSSLESS if lossless else _LIVE,
                max_bytes=int(topic.configs["max.message.bytes"]),
                round_robin=round_robin,
                key=key,
            )
            closing.callback(sender.close)
            return sender

        costs = {name: estimate_cost(settings.cameras[name]) for name in wanted}
        room = max_cameras(settings.ingest, costs)
        log.info("cameras_at_most", cameras=room, configured=len(wanted))
        films = min(room, len(wanted))
        senders = Senders(
            # For all cameras, though this process may film only some: equal in all processes.
            open_sender(FRAMES, max(ROOM, ROOM_EACH * films), round_robin=tuple(settings.cameras)),
            open_sender(TALLIES, films + 1, key=bootstrap.ingest_tally_key(control_key)),
        )
        keeper = LeaseKeeper(
            leases, costs, room=room, on_lost=lambda camera: sharing.lose_lease(camera)
        )
        closing.callback(keeper.close)
        context = IngestContext(
            deployment,
            senders,
            keeper,
            as_fast_as_possible=request.as_fast_as_possible,
            lossless=lossless,
            epoch=request.epoch,
        )
        sharing = CameraShare({name: settings.cameras[name] for name in wanted}, context)
        stop = stop or threading.Event()
        if threading.current_thread() is threading.main_thread():
            _handle_signals(stop, closing, senders)
        metrics, loop = Metrics("ingest"), LoopMonitor()
        service_metrics.register(metrics, sharing, keeper, room=room)
        control_metrics.register(metrics, control, deployment)
        if http is not None:

            def stalled() -> str:
                return loop.stalled() or senders.frames.stalled()

            pages = StatusPages(
                http,
                liveness_problem=stalled,
                readiness_problem=control.trouble,
                metrics=metrics.text,
                notes=lambda: [*deployment.notes(), *sharing.notes()],
            )
            closing.callback(pages.close)
        keeper.start()
        return _film(sharing, context, stop, loop, control)


def _handle_signals(stop: threading.Event, closing: ExitStack, senders: Senders) -> None:
    """Have SIGTERM and Ctrl-C set `stop`; a second signal has its former effect.

    Before the first frame is sent, the process does not wait for servers: its leases expire.
    """
    disable_early_exit()
    for each in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(each)

        def stop_once(number: int, _: object, before: Any = before) -> None:
            stop.set()
            signal.signal(number, before)
            if not senders.frames.used and not senders.tallies.used:
                exit_within(_INTERRUPTED)

        signal.signal(each, stop_once)
        closing.callback(signal.signal, each, before)


def _film(
    sharing: CameraShare,
    context: IngestContext,
    stop: threading.Event,
    loop: LoopMonitor,
    control: ControlReader,
) -> IngestResult:
    """Film this process's share until it is over or stopped."""
    stopped = False
    try:
        while not stop.is_set() and sharing.failure is None:
            sharing.update()
            if sharing.is_over():
                break
            sharing.disconnect_halted()
            control.raise_fault()
            stop.wait(_UPDATE_S)
            loop()
        stopped = stop.is_set() and not sharing.is_over()
    finally:
        context.keeper.leave()
        sharing.stop()
    with suppress(Unavailable):  # only tallies are lost, no frame
        context.senders.tallies.flush(_LIVE)
    if sharing.failure is not None:
        raise sharing.failure
    if context.lossless and (why := context.senders.frames.failed):
        raise Unavailable(f"Kafka did not accept every frame: {why}.")
    return IngestResult(sharing.counts, sharing.problems, stopped)
