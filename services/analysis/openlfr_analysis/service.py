"""Wires the analysis service and holds its loop.

Pictures are decoded in a pool and looked at in one thread, which owns the models; while it looks
at one batch the next is decoded. A batch's records are with Kafka before it is acknowledged.
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
from openlfr_analysis.backlog import HELD_MOST, Backlog
from openlfr_analysis.frame_batches import FrameBatchProcessor
from openlfr_analysis.index_in_use import IndexInUse
from openlfr_analysis.overtaking import overtaken
from openlfr_analysis.watchlist_index import LocalWatchlistIndex, MilvusWatchlistIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from openlfr.adapters.faust.agents import Message
    from openlfr.adapters.faust.progress import Progress
    from openlfr.settings import Settings
    from openlfr.settings.process import Process
    from openlfr.wire.codec import Record

WAITING, WITHIN_S = 64, 0.002
"""Frames taken together: of those that are late the newest of each camera is looked at."""
BATCH, BATCH_ON_GPU = 4, 64
"""Frames looked at together: what is seen in the first is told after the last. On a CPU they take
turns anyway."""
WAITING_LOSSLESS = 16  # all of which are decoded
LOSSLESS_KEPT = timedelta(minutes=2)
"""What is held back of a camera at 10 frames a second, and a worker's start."""
_KEPT = timedelta(milliseconds=int(FRAMES.configs["retention.ms"]))
_DECODERS = 2

log = structlog.get_logger()


def searched_in(settings: Settings) -> type[MilvusWatchlistIndex] | type[LocalWatchlistIndex]:
    """What makes an index of each manifest: the server itself, or a copy in this process."""
    return MilvusWatchlistIndex if settings.matching.index == "milvus" else LocalWatchlistIndex


def recorded_in(settings: Settings) -> list[str]:
    """Cameras that play what was filmed at another time.

    All files and folders: also where `start` is left out a film has a recording date of its own, or
    one that is assumed when it is opened, some time before its first frame is sent.
    """
    return [name for name, camera in settings.cameras.items() if not is_live(camera.url)]


def run(settings: Settings, process: Process) -> NoReturn:
    """Work until told to end.

    Raises:
        Misconfigured: No authorisation, a wrong model, a mixed gallery, a wrong topic.
        Unavailable: A needed service does not answer at the start; later the process ends with
            exit code 3.
    """
    deployment = DeploymentInForce(require_authorisation(settings))
    # First of all: a worker that was given a GPU and cannot use it does nothing else.
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
        nobody = ExactIndex({}, [])
        analyser = bootstrap.make_analyser(
            settings,
            bootstrap.ids_of(deployment.deployment_id, vault),
            (detector, embedder),
            nobody,
            threshold=1.0,  # until it is known how many are listed
        )
        index_in_use = IndexInUse(analyser)
        listed = searched_in(settings)(templates, index_in_use.offer)
        closing.callback(listed.close)
        control = ControlReader(
            brokers,
            key=vault.derive(seal.purpose_of(CONTROL.name)),
            followers=[
                StateFollower(deployment),
                WatchlistFollower(lambda: deployment.watchlists, listed.use),
            ],
        )
        closing.callback(control.close)
        control.start()
        control.wait()
        log.info("watchlist", references=listed.references, index=settings.matching.index)
        threshold = bootstrap.threshold_for(settings, embedder.facts, listed.subjects)
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
        if settings.max_age is None and (settings.topics.frames_retention or _KEPT) < LOSSLESS_KEPT:
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
            recorded=recorded_in(settings),
        )
        analyser.timings.observe = metrics.stage
        service_metrics.register(metrics, progress, processor.counts, listed)
        service_metrics.register_threshold(metrics, index_in_use)
        control_metrics.register(metrics, control, deployment)
        progress.conditions.append(control.trouble)
        progress.notes.append(deployment.notes)
        backlog = Backlog(0 if settings.max_age else HELD_MOST)
        service_metrics.register_provider(metrics, short_name(providers[0]))
        batch = BATCH_ON_GPU if providers[0] in ON_GPU else BATCH
        worker = _Worker(app, progress, processor, control, backlog, metrics, batch)
        app.agent(faust_app.topic(app, FRAMES.name), concurrency=1, name="frames")(worker.take)
        app.timer(1.0)(worker.tick)
        app.on_partitions_assigned.connect(worker.balanced, weak=False)
        app.on_before_shutdown.connect(worker.leave, weak=False)
        faust_worker.work(app, progress, process.worker_file(settings.data_dir))


class _Worker:
    """The loop: one stream, one thread that looks."""

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
        self._look = metrics.timed("look", processor.look)
        self._progress = progress
        self._processor = processor
        self._control = control
        self._backlog = backlog
        self._decoders = ThreadPoolExecutor(_DECODERS, "decode")
        self._looker = ThreadPoolExecutor(1, "look")
        self._turn = asyncio.Lock()
        self._waiting: Counter[int] = Counter()  # partition -> taken and not yet looked at
        self._balances = 0  # how often the group was balanced
        self._left = False  # the last words are with Kafka
        self._taken: dict[tuple[str, int], int] = {}  # offsets of what comes next
        self._stream: Any = None

    async def take(self, stream: Any) -> None:
        """The agent: at most one batch is looked at while another is decoded."""
        self._stream = stream
        loop = asyncio.get_running_loop()
        before: asyncio.Task[None] | None = None
        lossless = self._processor.lossless
        most = WAITING_LOSSLESS if lossless else max(WAITING, self._batch)
        async for messages in faust_agents.batches(
            stream, most, WITHIN_S, generation=lambda: self._balances
        ):
            balances = self._balances
            self._waiting.update(each.partition for each in messages)
            self._taken |= {(each.topic, each.partition): each.offset + 1 for each in messages}
            left_out = set() if lossless else overtaken(messages, now=time.time())
            for first in range(0, len(messages), self._batch):
                batch = messages[first : first + self._batch]
                pictures = [
                    loop.run_in_executor(
                        self._decoders,
                        partial(self._processor.decode, message, overtaken=position in left_out),
                    )
                    for position, message in enumerate(batch, first)
                ]
                if before is not None:
                    await before
                before = asyncio.create_task(self._carry_out(batch, pictures, balances))

    async def tick(self) -> None:
        """Now and then: end what is silent, and look whether anybody may still be searched."""
        await faust_agents.run_or_exit(self._progress, self._end_silent)

    async def balanced(self, _: Any, assigned: Collection[Any] = (), **__: Any) -> None:
        """The group was balanced: what was not acknowledged is delivered again."""
        partitions = {each.partition for each in assigned if each.topic == FRAMES.name}
        self._balances += 1
        self._backlog.clear()
        self._taken.clear()

        async def work() -> None:
            async with self._turn:
                await self._publish(self._processor.keep, partitions)

        await faust_agents.run_or_exit(self._progress, work)

    async def leave(self, *_: Any, **__: Any) -> None:
        """The last words before the process ends as it was told to."""

        async def work() -> None:
            async with self._turn:
                await self._publish(self._processor.leave)
                self._left = True

        await faust_agents.run_or_exit(self._progress, work)

    async def _carry_out(
        self,
        messages: Sequence[Message],
        pictures: Sequence[asyncio.Future[Any]],
        balances: int,
    ) -> None:
        async def work() -> None:
            decoded = await asyncio.gather(*pictures)
            async with self._turn:
                self._waiting.subtract(each.partition for each in messages)
                if balances != self._balances or self._left:
                    return  # not acknowledged by this worker: all of it is delivered again
                self._control.check()  # nobody is searched on stale authority
                await self._publish(self._look, decoded)
                self._processor.counts["held_too_long"] = self._backlog.let_go
                faust_agents.record_done(self._progress, messages, self._metrics)
                for each in decoded:
                    self._backlog.add(each.said, faust_agents.without_value(each.message))
                await self._acknowledge()

        await faust_agents.run_or_exit(self._progress, work)

    async def _end_silent(self) -> None:
        self._control.check()
        async with self._turn:
            if self._left:
                return
            late = {number for number, left in self._waiting.items() if left > 0}
            late |= faust_offsets.partitions_behind(self._app, FRAMES.name, self._taken)
            await self._publish(self._processor.end_silent, late)
            await self._acknowledge()

    async def _publish(self, give: Callable[..., list[tuple[str, Record]]], *words: Any) -> None:
        """Let the processor give records, in its thread; on return they are with Kafka."""
        loop = asyncio.get_running_loop()
        records = await loop.run_in_executor(self._looker, give, *words)
        await faust_app.publish(self._app, records)

    async def _acknowledge(self) -> None:
        for message in self._backlog.release(self._processor.is_quiet, self._processor.is_told):
            await self._stream.ack(message.event)
