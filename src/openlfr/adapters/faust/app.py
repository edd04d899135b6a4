"""The Faust app of one worker, with settings that lose no message."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faust
import structlog

from openlfr.adapters.faust.lag_watch import LagWatch
from openlfr.adapters.faust.offsets import commit_past_deleted
from openlfr.adapters.faust.progress import Progress
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.adapters.telemetry.status_pages import StatusPages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.wire.codec import Record

OFFSET_CHECK_S = 5.0
"""Interval of the check whether the committed offsets still exist."""
DELIVERY_S = 60.0
"""Maximum time to deliver a record; after a longer time the process ends."""

log = structlog.get_logger()


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
    """Return the app of one worker, and the worker's progress.

    Args:
        group: Name of the consumer group.
        instance: Name of the static member; empty for a dynamic member.
        brokers: Address and credentials of Kafka.
        from_beginning: Whether a new group begins at the oldest record instead of the newest.
        max_bytes: Maximum size of a record that is sent or fetched.
        buffered: Maximum number of records that wait in memory.
        http: Host and port of /health/live, /health/ready and /metrics; None for no pages.
        metrics: The service's metrics, for /metrics.
        session_s: Time without a heartbeat after which the worker's partitions are reassigned.

    Raises:
        Misconfigured: A certificate cannot be read, or the port of `http` is not free.
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
        # Without tables these folders remain empty, but Faust creates them, by default in the
        # working folder of the process.
        datadir=Path(tempfile.gettempdir(), f"openlfr-faust-{os.getuid()}"),
        # With an instance id the worker is a static member: SIGTERM does not remove it from its
        # group. Without one it leaves the group when it ends.
        consumer_group_instance_id=instance or None,
        consumer_auto_offset_reset="earliest" if from_beginning else "latest",
        consumer_max_fetch_size=max(4 << 20, max_bytes),
        producer_max_request_size=max_bytes,
        # With the default a worker waits 20 minutes for a broker that does not answer.
        producer_request_timeout=DELIVERY_S,
        stream_buffer_maxsize=buffered,
        # Deliberately unacknowledged frames must not delay a rebalance; Kafka delivers them again.
        stream_wait_empty=False,
        broker_max_poll_records=buffered,
        broker_commit_interval=0.5,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=2,
        web_enabled=False,  # Faust's pages hang with its loop; our pages have their own thread
        worker_redirect_stdouts=False,
    )
    progress = Progress()
    _connect_progress(app, progress)
    metrics = metrics or Metrics(group)
    _register_metrics(metrics, progress, lambda: app.consumer_generation_id)
    lag = LagWatch(brokers, progress, group=group, from_beginning=from_beginning)

    async def start_lag_watch() -> None:
        lag.start()

    app.task(start_lag_watch)

    async def check_offsets() -> None:
        await commit_past_deleted(app, progress)

    app.timer(OFFSET_CHECK_S)(check_offsets)
    if http is not None:
        StatusPages(
            http,
            liveness_problem=progress.liveness_problem,
            readiness_problem=progress.readiness_problem,
            metrics=metrics.text,
            notes=progress.health_notes,
        )
    return app, progress


def raw_topic(app: faust.App, name: str) -> Any:
    """Return a topic of raw bytes."""
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )


async def publish(app: faust.App, records: Sequence[tuple[str, Record]]) -> None:
    """Send records to their topics; on return the brokers have stored all records."""
    pending = []
    for name, record in records:
        target = raw_topic(app, name)
        headers = list(record.headers)
        pending.append(await target.send(key=record.key, value=record.value, headers=headers))
    for each in pending:
        await each


def _connect_progress(app: faust.App, progress: Progress) -> None:
    """Make the app record its partitions, messages and acknowledgements in `progress`."""

    class MessageSensor(faust.Sensor):  # type: ignore[misc]
        def on_message_in(self, tp: Any, offset: int, message: Any) -> None:  # noqa: ARG002
            committed = app.consumer._committed_offset[tp]  # noqa: SLF001
            progress.record_delivery(tp.topic, tp.partition, offset, committed)

        def on_message_out(self, tp: Any, offset: int, message: Any) -> None:  # noqa: ARG002
            progress.counts["acked"] += 1
            progress.record_done(tp.topic, tp.partition, offset)

    async def on_assigned(_: Any, assigned: Any = (), **__: Any) -> None:
        progress.assign((each.topic, each.partition) for each in assigned)
        log.info(
            "ready",
            group=app.conf.id,
            partitions=len(assigned),
            generation=app.consumer_generation_id,
        )

    async def on_revoked(*_: Any, **__: Any) -> None:
        progress.assign(None)

    app.sensors.add(MessageSensor())
    app.on_partitions_assigned.connect(on_assigned, weak=False)
    app.on_partitions_revoked.connect(on_revoked, weak=False)


def _register_metrics(metrics: Metrics, progress: Progress, generation: Callable[[], int]) -> None:
    counts = progress.counts
    metrics.register_gauge(
        "openlfr_lag", "Messages waiting in the pod's partitions.", lambda: progress.lag
    )
    metrics.register_gauge(
        "openlfr_group_generation",
        "Generation of the consumer group: one more after each rebalance, the same in all members.",
        generation,
    )
    metrics.register_gauge(
        "openlfr_partitions", "Partitions of the pod.", lambda: len(progress.partitions)
    )
    metrics.register_counter(
        "openlfr_acks", "Messages acknowledged.", lambda: {"": counts["acked"]}
    )
    metrics.register_counter(
        "openlfr_received", "Messages received.", lambda: {"": counts["received"]}
    )
    metrics.register_counter(
        "openlfr_gone",
        "Messages deleted by their topic's retention before they were delivered.",
        lambda: {"": counts["gone"]},
    )
