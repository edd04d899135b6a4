"""The loop of an analysis worker: one stream of frames.v1, and one thread that analyses frames.

A pool of threads decodes pictures, and one thread, which owns the models, analyses them. While that
thread analyses a batch, the pool decodes the next batch. Kafka has the records of a batch before
the batch is acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from openlfr.adapters.faust import agents as faust_agents
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import offsets as faust_offsets
from openlfr.adapters.kafka.topics import FRAMES
from openlfr_analysis.overtaking import find_overtaken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from openlfr.adapters.faust.agents import Message
    from openlfr.adapters.faust.progress import Progress
    from openlfr.adapters.kafka.control_reader import ControlReader
    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr.wire.codec import Record
    from openlfr_analysis.acknowledgement_queue import AcknowledgementQueue
    from openlfr_analysis.frame_batches import FrameBatchProcessor

MAX_MESSAGES, GATHER_S = 64, 0.002
"""Greatest number of messages gathered at once. Of late frames among them, only the newest of each
camera is analysed."""
MAX_MESSAGES_LOSSLESS = 16  # all of them are decoded
DECODER_THREADS = 2


class AnalysisWorker:
    """The callbacks of the Faust app: the agent, the timer, and the handlers of rebalances."""

    def __init__(
        self,
        app: Any,
        progress: Progress,
        processor: FrameBatchProcessor,
        control: ControlReader,
        unacknowledged: AcknowledgementQueue,
        metrics: Metrics,
        batch_size: int,
    ) -> None:
        self._app = app
        self._batch_size = batch_size
        self._metrics = metrics
        self._process = metrics.timed("look", processor.process)
        self._progress = progress
        self._processor = processor
        self._control = control
        self._unacknowledged = unacknowledged
        self._decoders = ThreadPoolExecutor(DECODER_THREADS, "decode")
        self._analysis = ThreadPoolExecutor(1, "look")
        self._lock = asyncio.Lock()
        self._waiting: Counter[int] = Counter()  # partition -> messages read, not yet processed
        self._rebalances = 0  # number of rebalances of the group
        self._has_left = False  # whether `leave` has published the last records
        self._next_offsets: dict[tuple[str, int], int] = {}  # by topic and partition
        self._stream: Any = None

    async def run(self, stream: Any) -> None:
        """Run the agent: decode one batch while at most one other batch is analysed."""
        self._stream = stream
        loop = asyncio.get_running_loop()
        previous: asyncio.Task[None] | None = None
        lossless = self._processor.lossless
        max_messages = MAX_MESSAGES_LOSSLESS if lossless else max(MAX_MESSAGES, self._batch_size)
        async for messages in faust_agents.read_batches(
            stream, max_messages, GATHER_S, generation=lambda: self._rebalances
        ):
            rebalances = self._rebalances
            self._waiting.update(each.partition for each in messages)
            self._next_offsets |= {
                (each.topic, each.partition): each.offset + 1 for each in messages
            }
            overtaken = set() if lossless else find_overtaken(messages, now=time.time())
            for first in range(0, len(messages), self._batch_size):
                batch = messages[first : first + self._batch_size]
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
        """End the tracks of silent cameras, and check that the watchlist is current.

        The app calls this each second.
        """
        await faust_agents.run_or_exit(self._progress, self._end_silent_cameras)

    async def on_rebalance(self, _: Any, assigned: Collection[Any] = (), **__: Any) -> None:
        """Accept the partitions of a rebalance; Kafka delivers unacknowledged messages again."""
        partitions = {each.partition for each in assigned if each.topic == FRAMES.name}
        self._rebalances += 1
        self._unacknowledged.clear()
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
                    return  # not acknowledged, so Kafka delivers the batch again
                self._control.check()  # raises where the watchlist is stale
                await self._publish(self._process, decoded)
                self._processor.counts["held_too_long"] = self._unacknowledged.acknowledged_early
                faust_agents.record_done(self._progress, messages, self._metrics)
                for each in decoded:
                    self._unacknowledged.add(each.encoded, faust_agents.drop_value(each.message))
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
        """Run a method of the processor in its thread; on return Kafka has the records."""
        loop = asyncio.get_running_loop()
        records = await loop.run_in_executor(self._analysis, work, *arguments)
        await faust_app.publish(self._app, records)

    async def _acknowledge(self) -> None:
        for message in self._unacknowledged.pop_acknowledgeable(
            self._processor.is_quiet, self._processor.is_tallied
        ):
            await self._stream.ack(message.event)
