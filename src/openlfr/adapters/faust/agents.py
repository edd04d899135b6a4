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
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faust
import structlog

from openlfr.adapters.faust.lag_watch import LagWatch
from openlfr.adapters.faust.progress import Progress
from openlfr.adapters.faust.worker import give_up
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.adapters.telemetry.pages import Pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.wire.codec import Record

LOOK_S = 5.0
"""Between two looks whether what is committed still exists."""
DELIVERY_S = 60.0
"""How long a record may be tried: what lasts longer ends the process."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A record of a topic as it was delivered.

    Attributes:
        written_at: Seconds since 1970 at which the broker took it.
        event: Faust's, to be acknowledged.
        key: By which its partition was chosen.
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
        """Topic, partition and offset with slashes between: it has no other place."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def make_app(
    *,
    group: str,
    instance: str,
    brokers: KafkaAccess,
    from_beginning: bool,
    max_bytes: int,
    buffered: int = 64,
    http: tuple[str, int] | None = None,
    metrics: Metrics | None = None,
    session_s: int = 10,
) -> tuple[faust.App, Progress]:
    """An app of one worker, and what it tells of its progress.

    Args:
        group: Consumer group.
        instance: Name of a static member; empty for none.
        brokers: How Kafka is reached.
        from_beginning: Where a group that is new begins: at the oldest record, or at the newest.
        max_bytes: Largest record that is sent or fetched.
        buffered: Records that may wait in memory.
        http: Where to serve /health/live, /health/ready and /metrics; None: nowhere.
        metrics: Of the service, to be served there.
        session_s: Seconds without a sign of life after which the worker's partitions go to others.

    Raises:
        Misconfigured: A certificate cannot be read, or nothing can listen on `http`.
    """
    app = faust.App(
        group,
        **brokers.faust_arguments(),
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        store="memory://",
        # Without tables these are empty folders, but Faust makes them: never where it was started.
        datadir=Path(tempfile.gettempdir(), f"openlfr-faust-{os.getuid()}"),
        consumer_group_instance_id=instance or None,
        consumer_auto_offset_reset="earliest" if from_beginning else "latest",
        consumer_max_fetch_size=max(4 << 20, max_bytes),
        producer_max_request_size=max_bytes,
        # By default 20 minutes, for which a worker would wait for a broker that is silent.
        producer_request_timeout=DELIVERY_S,
        stream_buffer_maxsize=buffered,
        # What is held back on purpose would keep a rebalance waiting; it is delivered again.
        stream_wait_empty=False,
        broker_max_poll_records=buffered,
        broker_commit_interval=0.5,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=2,
        web_enabled=False,  # its pages hang with its loop; ours have a thread of their own
        worker_redirect_stdouts=False,
    )
    progress = Progress()
    _follow(app, progress)
    metrics = metrics or Metrics(group)
    _tell(metrics, progress, lambda: app.consumer_generation_id)
    lag = LagWatch(brokers, progress, group=group, from_beginning=from_beginning)

    async def watch_lag() -> None:
        lag.start()

    app.task(watch_lag)

    async def follow_the_log() -> None:
        await commit_what_is_gone(app, progress)

    app.timer(LOOK_S)(follow_the_log)
    if http is not None:
        Pages(
            http,
            stalled=progress.stalled,
            lacks=progress.lacks,
            metrics=metrics.text,
            notes=progress.noted,
        )
    return app, progress


def topic(app: faust.App, name: str) -> Any:
    """A topic of raw bytes."""
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )


async def batches(
    stream: Any, most: int, within: float, *, generation: Callable[[], int] = lambda: 0
) -> AsyncIterator[list[Message]]:
    """What comes in, in order, at most `most` at a time; nothing of it is acknowledged.

    A batch is what came while the one before was worked off, and at most `within` seconds later.
    Faust's own `noack_take` looks every `within` seconds whether anything came, so that half of
    that is added to each message's way, and an idle worker keeps looking.

    Args:
        stream: Faust's.
        most: Messages of a batch.
        within: Seconds.
        generation: How often the group was balanced. What came before the latest time and is not
            given out yet is left: Kafka delivers it again, and coming first it would look as if
            another worker had seen what lies before it.
    """
    stream.enable_acks = False
    came: asyncio.Queue[Any] = asyncio.Queue(most)

    async def collect() -> None:
        try:
            async for event in stream.events():
                await came.put((generation(), event))
        except Exception as error:  # noqa: BLE001 - an agent that is left skips what it held
            give_up(error)
        await came.put(None)

    collecting = asyncio.create_task(collect())
    try:
        while (first := await came.get()) is not None:
            if came.qsize() + 1 < most:
                await asyncio.sleep(within)
            taken = [first]
            while len(taken) < most and not came.empty():
                taken.append(came.get_nowait())
            now = generation()
            if events := [each[1] for each in taken if each is not None and each[0] == now]:
                yield [_message(each) for each in events]
            if taken[-1] is None:
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


async def publish(app: faust.App, records: Sequence[tuple[str, Record]]) -> None:
    """Send records to their topics; on return the brokers have them all."""
    sent = []
    for name, record in records:
        target = topic(app, name)
        headers = list(record.headers)
        sent.append(await target.send(key=record.key, value=record.value, headers=headers))
    for each in sent:
        await each


def behind(app: faust.App, topic: str, taken: Mapping[tuple[str, int], int]) -> set[int]:
    """The partitions of which the brokers have told of records that were not yet taken.

    Args:
        app: Whose consumer is asked.
        topic: Whose partitions.
        taken: For each topic and partition the offset after the last record that was taken; where
            nothing was taken yet nothing counts.
    """
    found = set()
    for partition in app.consumer.assignment():
        newest = app.consumer.highwater(partition)
        position = taken.get((partition.topic, partition.partition))
        if partition.topic == topic and None not in (newest, position) and newest > position:
            found.add(partition.partition)
    return found


async def commit_what_is_gone(app: faust.App, progress: Progress) -> None:
    """Commit the beginning of partitions whose committed messages their topic keeps no longer.

    Where frames were deleted unread, as after a night without workers, the group stands before the
    oldest message until the next one comes. An autoscaler by lag counts messages that are gone,
    and keeps workers that have nothing to do. What was committed so can never be delivered:
    nothing is lost by it.
    """
    consumer = app.consumer
    if consumer is None or app.rebalancing:
        return
    behind = {}
    # Faust commits what is acknowledged and offers no way to commit a place: so by its inner door,
    # which also lets it know from where on acknowledgements count.
    for partition in consumer.assignment():
        start = progress.starts().get((partition.topic, partition.partition), 0)
        committed = consumer._committed_offset[partition]  # noqa: SLF001
        if committed is not None and committed < start:
            behind[partition] = start
    if not behind:
        return
    for partition, start in behind.items():
        # Its offset does not exist: the consumer would then begin at the newest message and miss
        # what came meanwhile. Once it has received something it has found its offset.
        if not progress.has_taken((partition.topic, partition.partition), start):
            await consumer.seek(partition, start)
    log.warning(
        "messages_gone",
        partitions={f"{each.topic}/{each.partition}": start for each, start in behind.items()},
        why="they were deleted before anybody read them",
    )
    await consumer._commit_offsets(behind)  # noqa: SLF001


def without_value(message: Message) -> Message:
    """A message to be acknowledged later: what stood in it need not stay in memory until then."""
    message.event.value = message.event.message.value = None
    return replace(message, value=None)


def finished(progress: Progress, messages: Sequence[Message], metrics: Metrics) -> None:
    """These are done: everything that they gave is with Kafka, acknowledged or not."""
    now = time.time()
    for message in messages:
        progress.done(message.topic, message.partition, message.offset)
        metrics.age(message.topic, now - message.written_at)


async def guarded(progress: Progress, work: Callable[[], Awaitable[None]]) -> None:
    """Do a batch's work; if it fails the process ends, and Kafka delivers the batch again."""
    number = id(work)
    progress.begin(number)
    try:
        await work()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - a loop's edge: nothing may leave the agent
        give_up(error)
    finally:
        progress.end(number)


def _follow(app: faust.App, progress: Progress) -> None:
    """Let the app tell what it works on and what it has acknowledged."""

    class Acks(faust.Sensor):  # type: ignore[misc]
        def on_message_in(self, tp: Any, offset: int, message: Any) -> None:  # noqa: ARG002
            committed = app.consumer._committed_offset[tp]  # noqa: SLF001
            progress.taken(tp.topic, tp.partition, offset, committed)

        def on_message_out(self, tp: Any, offset: int, message: Any) -> None:  # noqa: ARG002
            progress.counts["acked"] += 1
            progress.done(tp.topic, tp.partition, offset)

    async def assigned(_: Any, assigned: Any = (), **__: Any) -> None:
        progress.assign((each.topic, each.partition) for each in assigned)
        log.info(
            "ready",
            group=app.conf.id,
            partitions=len(assigned),
            generation=app.consumer_generation_id,
        )

    async def revoked(*_: Any, **__: Any) -> None:
        progress.assign(None)

    app.sensors.add(Acks())
    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_partitions_revoked.connect(revoked, weak=False)


def _tell(metrics: Metrics, progress: Progress, generation: Callable[[], int]) -> None:
    counts = progress.counts
    metrics.gauge("openlfr_lag", "Messages waiting in the pod's partitions.", lambda: progress.lag)
    metrics.gauge(
        "openlfr_group_generation",
        "Of the consumer group: one more after each rebalance, in all members the same.",
        generation,
    )
    metrics.gauge("openlfr_partitions", "Partitions of the pod.", lambda: len(progress.partitions))
    metrics.count("openlfr_acks", "Messages acknowledged.", lambda: {"": counts["acked"]})
    metrics.count("openlfr_received", "Messages taken.", lambda: {"": counts["received"]})
    metrics.count(
        "openlfr_gone",
        "Messages deleted by their topic's retention before they were taken.",
        lambda: {"": counts["gone"]},
    )
