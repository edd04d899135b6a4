"""Wires the ingest service: its share of the cameras, until they are over or it is stopped."""

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
from openlfr_ingest.capacity import cost_of, room_of
from openlfr_ingest.filming import Senders
from openlfr_ingest.leases import LeaseKeeper
from openlfr_ingest.sharing import CameraShare
from openlfr_ingest.supervision import IngestContext

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from openlfr.adapters.kafka.topics import Topic
    from openlfr.settings import Settings

ROOM, ROOM_EACH = 32, 4  # frames on their way: of all cameras at least, and for each
_LIVE, _LOSSLESS = timedelta(seconds=5), timedelta(seconds=120)  # how long a frame may be tried
_INTERRUPTED = 130  # the exit code of `openlfr service ingest` that was stopped
_LOOK_S = 0.1  # how often the process looks after its cameras


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IngestRequest:
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
class IngestResult:
    """What became of it.

    Attributes:
        counts: Of the frames of each camera that it filmed, by what became of them.
        problems: A sentence for each camera that broke off, failed or could not be opened.
        stopped: Whether it was stopped before the sources ended.
    """

    counts: dict[str, Counter[str]]
    problems: tuple[str, ...]
    stopped: bool


def run(
    settings: Settings,
    order: IngestRequest,
    stop: threading.Event | None = None,
    *,
    http: tuple[str, int] | None = None,
) -> IngestResult:
    """Film until the sources end, or `stop` is set (SIGTERM and Ctrl-C do).

    Args:
        settings: The configuration.
        order: What to film.
        stop: Ends it.
        http: Where to serve /health/live, /health/ready and /metrics; None: nowhere.

    Raises:
        Misconfigured: No authorisation, no such camera, a wrong topic.
        Unavailable: Kafka or Redis does not answer.
    """
    configured = require_authorisation(settings)
    wanted = order.cameras or tuple(settings.cameras)
    if not wanted:
        raise Misconfigured(f"{settings.path} names no camera: add one under cameras.")
    if unknown := [name for name in wanted if name not in settings.cameras]:
        raise Misconfigured(f"{settings.path} names no camera {', '.join(unknown)}.")
    brokers = bootstrap.kafka_brokers(settings)
    bootstrap.require_topics(settings, USES["ingest"].topics)
    lossless = settings.max_age is None
    with ExitStack() as closing:
        leases = bootstrap.open_leases(settings, configured.deployment_id)
        deployment = DeploymentInForce(configured, doubt=lambda: control.trouble())
        control_key = bootstrap.open_control_key(settings)
        control = ControlReader(
            brokers,
            key=control_key,
            followers=[StateFollower(deployment)],  # who is searched is none of its business
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

        costs = {name: cost_of(settings.cameras[name]) for name in wanted}
        room = room_of(settings.ingest, costs)
        log.info("cameras_at_most", cameras=room, configured=len(wanted))
        films = min(room, len(wanted))
        senders = Senders(
            # Of all cameras, also where this process films some of them.
            open_sender(FRAMES, max(ROOM, ROOM_EACH * films), round_robin=tuple(settings.cameras)),
            open_sender(TALLIES, films + 1, key=bootstrap.ingest_tally_key(control_key)),
        )
        keeper = LeaseKeeper(leases, costs, room=room, on_lost=lambda camera: sharing.lose(camera))
        closing.callback(keeper.close)
        context = IngestContext(
            deployment,
            senders,
            keeper,
            as_fast_as_possible=order.as_fast_as_possible,
            lossless=lossless,
            epoch=order.epoch,
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
    """SIGTERM and Ctrl-C set `stop`; a second one ends the process as it would have before.

    Where nothing was sent yet no server that is away is waited for: leases run out by themselves.
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
    """Film this process's share."""
    stopped = False
    try:
        while not stop.is_set() and sharing.failure is None:
            sharing.turn()
            if sharing.is_over():
                break
            sharing.halt()
            control.raise_fault()
            stop.wait(_LOOK_S)
            loop()
        stopped = stop.is_set() and not sharing.is_over()
    finally:
        context.keeper.leave()
        sharing.stop()
    with suppress(Unavailable):  # nothing of a frame is lost with it
        context.senders.tallies.flush(_LIVE)
    if sharing.failure is not None:
        raise sharing.failure
    if context.lossless and (why := context.senders.frames.failed):
        raise Unavailable(f"Kafka did not take every frame: {why}.")
    return IngestResult(sharing.counts, sharing.problems, stopped)
