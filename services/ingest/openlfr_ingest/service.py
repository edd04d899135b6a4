"""Builds the parts of the ingest service, and films until its cameras end or it is stopped."""

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
from openlfr_ingest.camera_share import CameraShare
from openlfr_ingest.capacity import estimate_cost, max_cameras
from openlfr_ingest.context import IngestContext
from openlfr_ingest.filming import Senders
from openlfr_ingest.leases import LeaseKeeper

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from openlfr.adapters.kafka.topics import Topic
    from openlfr.settings import Settings

MIN_ROOM, ROOM_PER_CAMERA = 32, 4  # greatest number of frames on their way to Kafka
_SEND_TIMEOUT, _LOSSLESS_SEND_TIMEOUT = timedelta(seconds=5), timedelta(seconds=120)
_STOPPED_EXIT_CODE = 130
_UPDATE_S = 0.1  # between two updates of the share


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """The cameras to film, and the options.

    Attributes:
        cameras: Names of the cameras; empty for all cameras of the configuration.
        epoch: First epoch of each camera; None for an epoch above the camera's last epoch.
        as_fast_as_possible: Whether files are read as fast as Kafka accepts frames.
    """

    cameras: tuple[str, ...] = ()
    epoch: int | None = None
    as_fast_as_possible: bool = False


@dataclass(frozen=True, slots=True)
class IngestResult:
    """The outcome of an ingest run.

    Attributes:
        counts: The frames of each filmed camera, by outcome.
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
    """Film until the sources end or `stop` is set, which SIGTERM and Ctrl-C do.

    Args:
        settings: The configuration.
        request: The cameras to film, and the options.
        stop: Ends the run when set.
        http: Host and port of /health/live, /health/ready and /metrics; None for no pages.

    Raises:
        Misconfigured: The authorisation or a camera is missing, or a topic is wrong.
        Unavailable: Kafka or Redis does not answer.
    """
    configured = require_authorisation(settings)
    names = request.cameras or tuple(settings.cameras)
    if not names:
        raise Misconfigured(f"{settings.path} names no camera: add a camera under cameras.")
    if unknown := [name for name in names if name not in settings.cameras]:
        raise Misconfigured(f"{settings.path} names no camera {', '.join(unknown)}.")
    brokers = bootstrap.require_kafka(settings)
    bootstrap.require_topics(settings, USES["ingest"].topics)
    lossless = settings.max_age is None
    with ExitStack() as closing:
        leases = bootstrap.open_leases(settings, configured.deployment_id)
        deployment = DeploymentInForce(configured, find_staleness=lambda: control.search_problem())
        control_key = bootstrap.open_control_key(settings)
        control = ControlReader(
            brokers,
            key=control_key,
            followers=[StateFollower(deployment)],  # ingest ignores the watchlist
        )
        closing.callback(control.close)
        control.start()

        def open_sender(
            topic: Topic, room: int, round_robin: Sequence[str] = (), key: bytes | None = None
        ) -> RecordSender:
            sender = RecordSender(
                brokers,
                topic.name,
                max_in_flight=room,
                delivery_timeout=_LOSSLESS_SEND_TIMEOUT if lossless else _SEND_TIMEOUT,
                max_bytes=int(topic.configs["max.message.bytes"]),
                round_robin_keys=round_robin,
                signing_key=key,
            )
            closing.callback(sender.close)
            return sender

        costs = {name: estimate_cost(settings.cameras[name]) for name in names}
        room = max_cameras(settings.ingest, costs)
        log.info("cameras_at_most", cameras=room, configured=len(names))
        max_filmed = min(room, len(names))
        senders = Senders(
            open_sender(
                FRAMES,
                max(MIN_ROOM, ROOM_PER_CAMERA * max_filmed),
                # All cameras, so that every process assigns them to the same partitions.
                round_robin=tuple(settings.cameras),
            ),
            open_sender(
                TALLIES, max_filmed + 1, key=bootstrap.derive_ingest_tally_key(control_key)
            ),
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
        sharing = CameraShare({name: settings.cameras[name] for name in names}, context)
        stop = stop or threading.Event()
        if threading.current_thread() is threading.main_thread():
            _handle_signals(stop, closing, senders)
        metrics, loop = Metrics("ingest"), LoopMonitor()
        service_metrics.register(metrics, sharing, keeper, room=room)
        control_metrics.register(metrics, control, deployment)
        if http is not None:

            def stalled() -> str:
                return loop.liveness_problem() or senders.frames.liveness_problem()

            pages = StatusPages(
                http,
                liveness_problem=stalled,
                readiness_problem=control.search_problem,
                metrics=metrics.text,
                notes=lambda: [*deployment.notes(), *sharing.notes()],
            )
            closing.callback(pages.close)
        keeper.start()
        return _film(sharing, context, stop, loop, control)


def _handle_signals(stop: threading.Event, closing: ExitStack, senders: Senders) -> None:
    """Set `stop` at SIGTERM and Ctrl-C; a second signal calls the previous handler.

    If nothing was sent yet, the process exits without waiting for servers, and its leases expire.
    """
    disable_early_exit()
    for each in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(each)

        def stop_once(number: int, _: object, previous: Any = previous) -> None:
            stop.set()
            signal.signal(number, previous)
            if not senders.frames.has_sent and not senders.tallies.has_sent:
                exit_within(_STOPPED_EXIT_CODE)

        signal.signal(each, stop_once)
        closing.callback(signal.signal, each, previous)


def _film(
    sharing: CameraShare,
    context: IngestContext,
    stop: threading.Event,
    loop: LoopMonitor,
    control: ControlReader,
) -> IngestResult:
    """Film this process's share of the cameras until they end or `stop` is set."""
    stopped = False
    try:
        while not stop.is_set() and sharing.failure is None:
            sharing.update()
            if sharing.is_over():
                break
            sharing.disconnect_halted()
            control.raise_own_error()
            stop.wait(_UPDATE_S)
            loop()
        stopped = stop.is_set() and not sharing.is_over()
    finally:
        context.keeper.leave()
        sharing.stop()
    with suppress(Unavailable):  # only tallies are lost, no frames
        context.senders.tallies.flush(_SEND_TIMEOUT)
    if sharing.failure is not None:
        raise sharing.failure
    if context.lossless and (why := context.senders.frames.last_failure):
        raise Unavailable(f"Kafka did not accept every frame: {why}.")
    return IngestResult(sharing.counts, sharing.problems, stopped)
