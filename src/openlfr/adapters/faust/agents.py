"""Batches of a Faust agent, read in the one way in which no message is lost.

Measured with faust-streaming 0.15: `take()` commits a batch that failed; `concurrency` above 1
commits past an event that is still being processed; an exception that leaves an agent makes it skip
its events. So here one agent reads batches without acknowledging them, awaits the delivery of
everything that they gave, and acknowledges in order. No exception may leave the agent: messages
that cannot be used become dead letters, and where a needed service fails the process ends at once,
so that Kafka delivers every message again that was not acknowledged.

`app.py` creates the app, `worker.py` runs it, `offsets.py` handles messages deleted unread,
`progress.py` and `lag_watch.py` find a worker that has stopped working.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from openlfr.adapters.faust.worker import give_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from openlfr.adapters.faust.progress import Progress
    from openlfr.adapters.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A record of a topic as it was delivered.

    Attributes:
        written_at: Time at which the broker stored it, in seconds since 1970.
        event: Faust's event, to be acknowledged.
        key: Key of the record, which decided its partition.
    """

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Any
    written_at: float
    event: Any = field(repr=False)
    key: bytes | None = None

    @property
    def place(self) -> str:
        """Topic, partition and offset with slashes between; unique."""
        return f"{self.topic}/{self.partition}/{self.offset}"


async def batches(
    stream: Any, most: int, within: float, *, generation: Callable[[], int] = lambda: 0
) -> AsyncIterator[list[Message]]:
    """Yield messages in order, at most `most` at a time, without acknowledging any.

    A batch has the messages that came while the batch before was processed, and those of at most
    `within` seconds more. Faust's own `noack_take` looks every `within` seconds for messages, which
    adds half of that to the latency of each message and keeps an idle worker busy.

    Args:
        stream: A Faust stream.
        most: Largest number of messages in a batch.
        within: Seconds to wait for more messages.
        generation: Returns the group's generation, one more after each rebalance. Messages of an
            earlier generation are dropped, and Kafka delivers them again: passed on first, they
            would look as if another worker had processed the messages before them.
    """
    stream.enable_acks = False
    queue: asyncio.Queue[Any] = asyncio.Queue(most)

    async def collect() -> None:
        try:
            async for event in stream.events():
                await queue.put((generation(), event))
        except Exception as error:  # noqa: BLE001 - an agent that raises skips its events
            give_up(error)
        await queue.put(None)

    collecting = asyncio.create_task(collect())
    try:
        while (first := await queue.get()) is not None:
            if queue.qsize() + 1 < most:
                await asyncio.sleep(within)
            items = [first]
            while len(items) < most and not queue.empty():
                items.append(queue.get_nowait())
            now = generation()
            if events := [each[1] for each in items if each is not None and each[0] == now]:
                yield [_message(each) for each in events]
            if items[-1] is None:
                return
    finally:
        collecting.cancel()


def _message(event: Any) -> Message:
    return Message(
        topic=event.message.topic,
        partition=event.message.partition,
        offset=event.message.offset,
        value=event.message.value,
        headers=event.headers,
        written_at=event.message.timestamp,
        event=event,
        key=event.message.key,
    )


def without_value(message: Message) -> Message:
    """The message without its value, which need not stay in memory until it is acknowledged."""
    message.event.value = message.event.message.value = None
    return replace(message, value=None)


def record_done(progress: Progress, messages: Sequence[Message], metrics: Metrics) -> None:
    """Record that all results of these messages are stored in Kafka, acknowledged or not."""
    now = time.time()
    for message in messages:
        progress.record_done(message.topic, message.partition, message.offset)
        metrics.observe_age(message.topic, now - message.written_at)


async def run_or_exit(progress: Progress, work: Callable[[], Awaitable[None]]) -> None:
    """Process a batch; on an exception end the process, and Kafka delivers the batch again."""
    number = id(work)
    progress.begin_batch(number)
    try:
        await work()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - a loop's edge: nothing may leave the agent
        give_up(error)
    finally:
        progress.end_batch(number)
