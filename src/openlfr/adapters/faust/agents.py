"""Batches of a Faust agent, read so that no message is lost.

Measured with faust-streaming 0.15: `take()` commits a failed batch. A `concurrency` above 1 commits
past an event that is still being processed. An agent that raises an exception skips its events.

So here one agent reads batches without acknowledging them, awaits the delivery of all results, and
acknowledges in order. The agent must not raise. Unusable messages become dead letters. If a
required service fails, the process ends at once, and Kafka delivers all unacknowledged messages
again.

`app.py` creates the app, `worker.py` runs it, and `offsets.py` handles messages that were deleted
unread. `progress.py` and `lag_watch.py` detect a worker that has stopped working.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from openlfr.adapters.faust.worker import exit_on_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from openlfr.adapters.faust.progress import Progress
    from openlfr.adapters.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A delivered record of a topic.

    Attributes:
        written_at: Time at which the broker stored the record, in seconds since 1970.
        event: Faust's event, which is acknowledged later.
        key: Key of the record, which determines its partition.
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
        """The topic, partition and offset, separated by slashes; unique."""
        return f"{self.topic}/{self.partition}/{self.offset}"


async def read_batches(
    stream: Any, max_messages: int, wait_s: float, *, generation: Callable[[], int] = lambda: 0
) -> AsyncIterator[list[Message]]:
    """Yield batches of messages in order, without acknowledging them.

    A batch contains the messages that arrived while the previous batch was processed, and messages
    that arrive within `wait_s`. Faust's own `noack_take` polls every `wait_s` seconds, which adds
    half of that time to the latency of each message and keeps an idle worker busy.

    Args:
        stream: A Faust stream.
        max_messages: Maximum number of messages in a batch.
        wait_s: Time to wait for more messages, in seconds.
        generation: Returns the group's generation, which grows by one with each rebalance. Messages
            of an earlier generation are dropped, and Kafka delivers them again. If they were
            processed, and earlier messages were redelivered later, the gap would look like the
            progress of another worker.
    """
    stream.enable_acks = False
    queue: asyncio.Queue[Any] = asyncio.Queue(max_messages)

    async def collect() -> None:
        try:
            async for event in stream.events():
                await queue.put((generation(), event))
        except Exception as error:  # noqa: BLE001 - an agent that raises skips its events
            exit_on_error(error)
        await queue.put(None)

    collecting = asyncio.create_task(collect())
    try:
        while (first := await queue.get()) is not None:
            if queue.qsize() + 1 < max_messages:
                await asyncio.sleep(wait_s)
            items = [first]
            while len(items) < max_messages and not queue.empty():
                items.append(queue.get_nowait())
            current = generation()
            if events := [each[1] for each in items if each is not None and each[0] == current]:
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


def drop_value(message: Message) -> Message:
    """Return the message without its value, to free memory before the acknowledgement."""
    message.event.value = message.event.message.value = None
    return replace(message, value=None)


def record_done(progress: Progress, messages: Sequence[Message], metrics: Metrics) -> None:
    """Record that Kafka has stored all results of these messages, and observe their ages."""
    now = time.time()
    for message in messages:
        progress.record_done(message.topic, message.partition, message.offset)
        metrics.observe_age(message.topic, now - message.written_at)


async def run_or_exit(progress: Progress, work: Callable[[], Awaitable[None]]) -> None:
    """Process a batch; on an exception end the process, so that Kafka delivers the batch again."""
    number = id(work)
    progress.begin_batch(number)
    try:
        await work()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - the agent must not raise
        exit_on_error(error)
    finally:
        progress.end_batch(number)
