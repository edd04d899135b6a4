"""Faust, used in the one way in which it loses nothing.

What was measured (faust-streaming 0.15): `take()` commits a batch that failed; `concurrency` above
1 commits past an event that is still in work; an exception that leaves an agent makes it skip what
it held. So here one agent takes batches without acknowledging them, awaits the delivery of
everything that they gave, and acknowledges in order. Nothing may leave the agent: what cannot be
used is set aside, and where a needed service fails the process ends at once, so that Kafka
delivers again whatever was not acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import faust
import structlog

from openlfr.domain.errors import OpenLFRError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from openlfr.adapters.kafka_access import KafkaAccess
    from openlfr.wire.codec import Record

UNAVAILABLE = 3  # the exit code of `openlfr` where a needed service is unavailable
STUCK_S = 120.0
"""After how long a batch counts as stuck, so that the process is to be started anew."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A record of a topic as it was delivered.

    Attributes:
        written_at: Seconds since 1970 at which the broker took it.
        event: Faust's, to be acknowledged.
    """

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Any
    written_at: float
    event: Any = field(repr=False)

    @property
    def place(self) -> str:
        """Topic, partition and offset with slashes between: it has no other place."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(slots=True)
class Progress:
    """Whether batches come to their end; what a health page tells."""

    begun: dict[int, float] = field(default_factory=dict)
    ready: bool = False

    def stuck(self) -> bool:
        """Whether a batch is in work for too long."""
        now = time.monotonic()
        return any(now - since > STUCK_S for since in self.begun.values())


def make_app(
    *,
    group: str,
    instance: str,
    brokers: KafkaAccess,
    from_beginning: bool,
    max_bytes: int,
    buffered: int = 64,
    http: tuple[str, int] | None = None,
) -> tuple[faust.App, Progress]:
    """An app of one worker, and what it tells of its progress.

    Args:
        group: Consumer group.
        instance: Name of a static member; empty for none.
        brokers: How Kafka is reached.
        from_beginning: Where a group that is new begins: at the oldest record, or at the newest.
        max_bytes: Largest record that is sent or fetched.
        buffered: Records that may wait in memory.
        http: Where to serve /health/live and /health/ready; None: nowhere.
    """
    host, port = http or ("127.0.0.1", 0)
    app = faust.App(
        group,
        **brokers.faust_arguments(),
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        store="memory://",
        consumer_group_instance_id=instance or None,
        consumer_auto_offset_reset="earliest" if from_beginning else "latest",
        consumer_max_fetch_size=max(4 << 20, max_bytes),
        producer_max_request_size=max_bytes,
        stream_buffer_maxsize=buffered,
        # What is held back on purpose would keep a rebalance waiting; it is delivered again.
        stream_wait_empty=False,
        broker_max_poll_records=buffered,
        broker_commit_interval=0.5,
        broker_session_timeout=10,
        broker_heartbeat_interval=2,
        web_enabled=http is not None,
        web_bind=host,
        web_port=port or 6066,
        worker_redirect_stdouts=False,
    )
    progress = Progress()
    if http is not None:
        _serve_health(app, progress)
    return app, progress


def topic(app: faust.App, name: str) -> Any:
    """A topic of raw bytes."""
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )


async def batches(stream: Any, most: int, within: float) -> AsyncIterator[list[Message]]:
    """What comes in, in order, at most `most` at a time; nothing of it is acknowledged."""
    async for events in stream.noack_take(most, within=within):
        yield [
            Message(
                topic=event.message.topic,
                partition=event.message.partition,
                offset=event.message.offset,
                value=event.message.value,
                headers=event.headers,
                written_at=event.message.timestamp,
                event=event,
            )
            for event in events
        ]


async def publish(app: faust.App, records: Sequence[tuple[str, Record]]) -> None:
    """Send records to their topics; on return the brokers have them all."""
    sent = []
    for name, record in records:
        target = topic(app, name)
        headers = list(record.headers)
        sent.append(await target.send(key=record.key, value=record.value, headers=headers))
    for each in sent:
        await each


def lag(app: faust.App) -> int:
    """Records that the brokers have told of and that were not yet read."""
    consumer = app.consumer
    total = 0
    for partition in consumer.assignment():
        newest = consumer.highwater(partition)
        read = consumer._read_offset.get(partition)  # noqa: SLF001 - nothing public tells it
        if newest is not None and read is not None:
            total += max(0, newest - read - 1)
    return total


async def guarded(progress: Progress, work: Callable[[], Awaitable[None]]) -> None:
    """Do a batch's work; if it fails the process ends, and Kafka delivers the batch again."""
    number = id(work)
    progress.begun[number] = time.monotonic()
    try:
        await work()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - a loop's edge: nothing may leave the agent
        give_up(error)
    finally:
        progress.begun.pop(number, None)


def give_up(error: BaseException) -> NoReturn:
    """End the process without acknowledging anything that is in work."""
    if isinstance(error, OpenLFRError):
        log.error("ended", why=str(error))
    else:
        log.error("ended", why=f"{type(error).__name__}: {error}", exc_info=error)
    sys.stderr.flush()
    os._exit(UNAVAILABLE)


def work(app: faust.App, progress: Progress) -> NoReturn:
    """Run the worker until it is told to end (SIGTERM, SIGINT); exits the process."""

    async def assigned(*_: Any, **__: Any) -> None:
        progress.ready = True
        log.info("ready", group=app.conf.id)

    app.on_partitions_assigned.connect(assigned)
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    worker.execute_from_commandline()
    raise AssertionError("Faust's worker ends by leaving the process")


def _serve_health(app: faust.App, progress: Progress) -> None:
    async def live(web: Any, _: Any) -> Any:
        return web.json({"stuck": progress.stuck()}, status=503 if progress.stuck() else 200)

    async def ready(web: Any, _: Any) -> Any:
        return web.json({"ready": progress.ready}, status=200 if progress.ready else 503)

    app.page("/health/live", name="live")(live)
    app.page("/health/ready", name="ready")(ready)
