"""Wires the analysis service and holds its loop.

Pictures are decoded in a pool and analysed in one thread, which owns the models; while it analyses
one batch, the next is decoded. Kafka has a batch's records before the batch is acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import structlog

from openlfr import bootstrap
from openlfr.adapters.capture import is_live
from openlfr.adapters.faust import agents as faust_agents
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import offsets as faust_offsets
from openlfr.adapters.faust import worker as faust_worker
from openlfr.adapters.kafka.control_followers import StateFollower, WatchlistFollower
from openlfr.adapters.kafka.control_reader import ControlReader
from openlfr.adapters.kafka.rights import USES
from openlfr.adapters.kafka.topics import CONTROL, FRAMES
from openlfr.adapters.models.onnx import ON_GPU, short_name
from openlfr.adapters.telemetry import control_metrics
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.in_force import DeploymentInForce
from openlfr.settings import require_authorisation
from openlfr.stages.search import ExactIndex
from openlfr.wire import seal
from openlfr_analysis import metrics as service_metrics
from openlfr_analysis.backlog import MAX_HELD, Backlog
from openlfr_analysis.frame_batches import FrameBatchProcessor
from openlfr_analysis.index_in_use import IndexInUse
from openlfr_analysis.overtaking import find_overtaken
from openlfr_analysis.watchlist_index import LocalWatchlistIndex, MilvusWatchlistIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from openlfr.adapters.faust.agents import Message
    from openlfr.adapters.faust.progress import Progress
    from openlfr.settings import Settings
    from openlfr.settings.process import Process
    from openlfr.wire.codec import Record

WAITING, WITHIN_S = 64, 0.002
"""Most messages taken at once: of late frames among them, the newest of each camera is analysed."""
BATCH, BATCH_ON_GPU = 4, 64
"""Frames analysed in one call: sightings of the first are published after the last. A CPU processes
them one after the other anyway."""
WAITING_LOSSLESS = 16  # all of them are decoded
MIN_LOSSLESS_RETENTION = timedelta(minutes=2)
"""Shortest retention for lossless mode: 1000 held frames of a camera at 10 frames a second take
100 s, and a worker needs a moment to start."""
_DEFAULT_RETENTION = timedelta(milliseconds=int(FRAMES.configs["retention.ms"]))
_DECODERS = 2

log = structlog.get_logger()


def index_class(settings: Settings) -> type[MilvusWatchlistIndex] | type[LocalWatchlistIndex]:
    """The class that builds the index: on the Milvus server, or in this process."""
    return MilvusWatchlistIndex if settings.matching.index == "milvus" else LocalWatchlistIndex


def recorded_cameras(settings: Settings) -> list[str]:
    """Names of the cameras that play recordings: all files and folders.

    Those without `start` too: a film has a recording date of its own, or one that is assumed when
    the film is opened, some time before its first frame is sent.
    """
    return [name for name, camera in settings.cameras.items() if not is_live(camera.url)]


def run(settings: Settings, process: Process) -> NoReturn:
    """Work until the process is asked to end.

    Raises:
        Misconfigured: No authorisation, a wrong model, a mixed gallery, a wrong topic.
        Unavailable: A needed service does not answer at the start; later the process ends with
            exit code 3.
    """
    deployment = DeploymentInForce(require_authorisation(settings))
    # First of all: a worker that has a GPU and cannot use it must not start.
    providers = bootstrap.providers(settings)
    log.info("providers", first=short_name(providers[0]), all=providers)
    brokers = bootstrap.kafka_brokers(settings)
    bootstrap.require_topics(settings, USES["analysis"].topics)
    with ExitStack() as closing:
        detector = bootstrap.load_detector(settings)
        embedder = bootstrap.load_embedder(settings)
        vault = bootstrap.open_vault(settings)
        templates = bootstrap.open_searched_templates(settings, embedder.facts)
        closing.callback(templates.close)
        empty = ExactIndex({}, [])
        analyser = bootstrap.make_analyser(
            settings,
            bootstrap.ids_of(deployment.deployment_id, vault),
            (detector, embedder),
            empty,
            threshold=1.0,  # until the length of the list is known
        )
        index_in_use = IndexInUse(analyser)
        watchlist = index_class(settings)(templates, index_in_use.offer)
        closing.callback(watchlist.close)
        control = ControlReader(
            brokers,
            key=vault.derive(seal.purpose_of(CONTROL.name)),
            followers=[
                StateFollower(deployment),
                WatchlistFollower(lambda: deployment.watchlists, watchlist.use),
            ],
        )
        closing.callback(control.close)
        control.start()
        control.wait()
        log.info("watchlist", references=watchlist.references, index=settings.matching.index)
        threshold = bootstrap.threshold_for(settings, embedder.facts, watchlist.subjects)
        index_in_use.begin(
            bootstrap.conditions_of(
                settings, deployment.deployment_id, threshold, embedder.facts, vault
            )
        )

        metrics = Metrics("analysis")
        app, progress = faust_app.make_app(
            group=process.group,
            instance=process.instance,
            brokers=brokers,
            from_beginning=settings.max_age is None,
            max_bytes=int(FRAMES.configs["max.message.bytes"]),
            http=process.http,
            metrics=metrics,
            session_s=process.session_s,
        )
        if (
            settings.max_age is None
            and (settings.topics.frames_retention or _DEFAULT_RETENTION) < MIN_LOSSLESS_RETENTION
        ):
            log.warning(
                "frames_go_too_soon",
                why="with max_age: off a worker that dies needs its frames again, but Kafka keeps "
                "them for less than two minutes",
                do="set topics.frames_retention and topics.frames_transit, then topics apply",
            )
        processor = FrameBatchProcessor(
            analyser,
            vault,
            deployment,
            index_in_use,
            max_age=settings.max_age,
            recorded=recorded_cameras(settings),
        )
        analyser.timings.observe = metrics.observe_stage
        service_metrics.register(metrics, progress, processor.counts, watchlist)
        service_metrics.register_threshold(metrics, index_in_use)
        control_metrics.register(metrics, control, deployment)
        progress.conditions.append(control.trouble)
        progress.notes.append(deployment.notes)
        backlog = Backlog(0 if settings.max_age else MAX_HELD)
        service_metrics.register_provider(metrics, short_name(providers[0]))
        batch = BATCH_ON_GPU if providers[0] in ON_GPU else BATCH
        worker = _Worker(app, progress, processor, control, backlog, metrics, batch)
        app.agent(faust_app.topic(app, FRAMES.name), concurrency=1, name="frames")(worker.run)
        app.timer(1.0)(worker.tick)
        app.on_partitions_assigned.connect(worker.on_rebalance, weak=False)
        app.on_before_shutdown.connect(worker.leave, weak=False)
        faust_worker.work(app, progress, process.worker_file(settings.data_dir))


class _Worker:
    """The loop: one stream, one thread that analyses."""

    def __init__(
        self,
        app: Any,
        progress: Progress,
        processor: FrameBatchProcessor,
        control: ControlReader,
        backlog: Backlog,
        metrics: Metrics,
        batch: int,
    ) -> None:
        self._app = app
        self._batch = batch
        self._metrics = metrics
        self._process = metrics.timed("look", processor.process)
        self._progress = progress
        self._processor = processor
        self._control = control
        self._backlog = backlog
        self._decoders = ThreadPoolExecutor(_DECODERS, "decode")
        self._analysis = ThreadPoolExecutor(1, "look")
        self._lock = asyncio.Lock()
        self._waiting: Counter[int] = Counter()  # partition -> messages taken, not yet processed
        self._rebalances = 0  # number of rebalances of the group
        self._has_left = False  # Kafka has the last records
        self._next_offsets: dict[tuple[str, int], int] = {}  # by topic and partition
        self._stream: Any = None

    async def run(self, stream: Any) -> None:
        """The agent: decodes one batch while at most one other is analysed."""
        self._stream = stream
        loop = asyncio.get_running_loop()
        previous: asyncio.Task[None] | None = None
        lossless = self._processor.lossless
        max_messages = WAITING_LOSSLESS if lossless else max(WAITING, self._batch)
        async for messages in faust_agents.batches(
            stream, max_messages, WITHIN_S, generation=lambda: self._rebalances
        ):
            rebalances = self._rebalances
            self._waiting.update(each.partition for each in messages)
            self._next_offsets |= {
                (each.topic, each.partition): each.offset + 1 for each in messages
            }
            overtaken = set() if lossless else find_overtaken(messages, now=time.time())
            for first in range(0, len(messages), self._batch):
                batch = messages[first : first + self._batch]
                pictures = [
                    loop.run_in_executor(
                        self._decoders,
                        partial(self._processor.decode, message, overtaken=position in overtaken),
                    )
                    for position, message in enumerate(batch, first)
                ]
                if previous is not None:
                    await previous
                previous = asyncio.create_task(self._process_batch(batch, pictures, rebalances))

    async def tick(self) -> None:
        """Each second: end the tracks of silent cameras; check that the watchlist is current."""
        await faust_agents.run_or_exit(self._progress, self._end_silent_cameras)

    async def on_rebalance(self, _: Any, assigned: Collection[Any] = (), **__: Any) -> None:
        """The group was rebalanced: Kafka delivers again what was not acknowledged."""
        partitions = {each.partition for each in assigned if each.topic == FRAMES.name}
        self._rebalances += 1
        self._backlog.clear()
        self._next_offsets.clear()

        async def work() -> None:
            async with self._lock:
                await self._publish(self._processor.assign_partitions, partitions)

        await faust_agents.run_or_exit(self._progress, work)

    async def leave(self, *_: Any, **__: Any) -> None:
        """Publish the last records before the process ends."""

        async def work() -> None:
            async with self._lock:
                await self._publish(self._processor.leave)
                self._has_left = True

        await faust_agents.run_or_exit(self._progress, work)

    async def _process_batch(
        self,
        messages: Sequence[Message],
        pictures: Sequence[asyncio.Future[Any]],
        rebalances: int,
    ) -> None:
        async def work() -> None:
            decoded = await asyncio.gather(*pictures)
            async with self._lock:
                self._waiting.subtract(each.partition for each in messages)
                if rebalances != self._rebalances or self._has_left:
                    return  # never acknowledged here: Kafka delivers the batch again
                self._control.check()  # nobody is searched with a stale watchlist
                await self._publish(self._process, decoded)
                self._processor.counts["held_too_long"] = self._backlog.acknowledged_early
                faust_agents.record_done(self._progress, messages, self._metrics)
                for each in decoded:
                    self._backlog.add(each.encoded, faust_agents.without_value(each.message))
                await self._acknowledge()

        await faust_agents.run_or_exit(self._progress, work)

    async def _end_silent_cameras(self) -> None:
        self._control.check()
        async with self._lock:
            if self._has_left:
                return
            waiting = {number for number, left in self._waiting.items() if left > 0}
            waiting |= faust_offsets.partitions_behind(self._app, FRAMES.name, self._next_offsets)
            await self._publish(self._processor.end_silent_cameras, waiting)
            await self._acknowledge()

    async def _publish(
        self, work: Callable[..., list[tuple[str, Record]]], *arguments: Any
    ) -> None:
        """Run work of the processor in its thread; on return Kafka has the records."""
        loop = asyncio.get_running_loop()
        records = await loop.run_in_executor(self._analysis, work, *arguments)
        await faust_app.publish(self._app, records)

    async def _acknowledge(self) -> None:
        for message in self._backlog.release(self._processor.is_quiet, self._processor.is_tallied):
            await self._stream.ack(message.event)
