"""The table of topics: the content of each, and Kafka's settings. It imports no Kafka client.

`plan_topics()` returns the topics of one installation, `adapters/kafka/admin.py` creates and checks
them, and `docs/topics.md` and `docs/asyncapi.yaml` are checked against this table.

Every topic uses LogAppendTime because retention depends on the record's time. A file filmed last
month has last month's `captured_at`. If that were the record's time, Kafka would delete the record
on arrival. A time in the future would retain the record longer than promised. The capture time is
a field of the message.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK_INTERVAL = "log.retention.check.interval.ms"
"""A setting of the brokers, which a topic cannot override."""
CHECK_INTERVAL_DEFAULT = timedelta(minutes=5)  # Kafka's default
TRANSIT = timedelta(seconds=60)
"""Maximum time that a frame may exist on the brokers' disks; the configuration can raise it."""

_SECOND, _HOUR = 1000, 3_600_000  # ms
_DAY = 24 * _HOUR
_KIB, _MIB = 2**10, 2**20


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        message: Name of the message in `protos/openlfr/wire/v1`.
        key: The key of the records, for the documentation.
        content: The content of the topic, for the documentation.
        promise: Guarantees to readers, for the documentation.
        writers, readers: Users that write and read, for the documentation; `rights.py` has the
            rights of the users of this product.
        partitions: Number of partitions, which limits the number of workers.
        replicas: Number of copies of each partition.
        spare: Number of copies that may be missing before the topic refuses records.
        configs: Kafka's settings of the topic.
        one_partition: Whether readers rely on one order of all records, which more partitions
            would break.
    """

    name: str
    message: str
    key: str
    content: str
    promise: str
    writers: str
    readers: str
    partitions: int
    configs: Mapping[str, str] = field(repr=False)
    replicas: int = 3
    spare: int = 1
    one_partition: bool = False


def _configs(
    *, retention_ms: int, segment_ms: int, max_bytes: int, policy: str = "delete", **more: str
) -> dict[str, str]:
    return {
        "cleanup.policy": policy,
        "retention.ms": str(retention_ms),
        "segment.ms": str(segment_ms),
        "segment.jitter.ms": "0",
        "file.delete.delay.ms": str(60 * _SECOND),
        "max.message.bytes": str(max_bytes),
        "message.timestamp.type": "LogAppendTime",
    } | {name.replace("_", "."): value for name, value in more.items()}


FRAMES = Topic(
    name="frames.v1",
    message="Frame",
    key="the camera's name; ingest assigns cameras to the partitions in turn, in the order of the"
    " configuration",
    content="Pictures on their way from ingest to analysis. Only analysis may read them.",
    promise="In order for each camera and epoch. Live video: a frame that cannot be sent or is"
    " too old is dropped and counted; nothing waits for it.",
    writers="ingest",
    readers="only analysis",
    partitions=12,
    # A frame is useful for seconds, and the next frame follows. Two copies halve the cost of
    # replication, and the topic accepts records with one copy.
    replicas=2,
    configs=_configs(
        retention_ms=30 * _SECOND,
        segment_ms=15 * _SECOND,
        max_bytes=4 * _MIB,
        file_delete_delay_ms=str(5 * _SECOND),
    ),
)
SIGHTINGS = Topic(
    name="sightings.v1",
    message="Sighting",
    key="the deployment's and the subject's name, with a slash between",
    content="Tracks whose best candidate reached the threshold, with the evidence.",
    promise="At least once, in order for each subject; deduplicate by `sighting_id`.",
    writers="analysis",
    readers="alerting",
    partitions=6,
    configs=_configs(retention_ms=_DAY, segment_ms=_HOUR, max_bytes=4 * _MIB),
)
ALERTS = Topic(
    name="alerts.v1",
    message="Alert",
    key="the alert's id",
    content="Alerts opened, and sightings that joined them, for operators to decide.",
    promise="At least once, in order for each alert; deduplicate by `event_id`.",
    writers="alerting",
    readers="alerting, and any consumer that is authorised to read whom an alert concerns",
    partitions=6,
    configs=_configs(retention_ms=7 * _DAY, segment_ms=_DAY, max_bytes=256 * _KIB),
)
TALLIES = Topic(
    name="tallies.v1",
    message="Tally",
    key="the camera's name",
    content="Counts of frames, faces, tracks and scores; nothing about any person.",
    promise="At least once, in order for each camera; deduplicate by `tally_id`: the first record"
    " counts.",
    writers="ingest and analysis",
    readers="alerting, and any consumer",
    partitions=6,
    configs=_configs(retention_ms=7 * _DAY, segment_ms=_DAY, max_bytes=256 * _KIB),
)
CONTROL = Topic(
    name="control.v1",
    message="Control",
    key="the reference's id, \"deployment/\" and a deployment's id, or `heartbeat`",
    content="Searchable references, the state of each deployment, and heartbeats. Every worker"
    " reads the whole topic, without a group.",
    promise="At least once, all in one order; the last record of a key stays until a tombstone"
    " removes it.",
    writers="alerting, one process at a time, from the records",
    readers="analysis, ingest, which skips the references, and alerting, which compares the topic"
    " with the records",
    partitions=1,
    one_partition=True,
    configs=_configs(
        policy="compact",
        retention_ms=-1,
        segment_ms=_HOUR // 6,
        max_bytes=1000 * _KIB,  # a deployment's state lists its cameras, up to thousands
        min_cleanable_dirty_ratio="0.1",
        max_compaction_lag_ms=str(_HOUR),
        delete_retention_ms=str(_DAY),
    ),
)
VERDICTS = Topic(
    name="verdicts.v1",
    message="Verdict",
    key="the alert's id",
    content="Operators' decisions, their withdrawals, and outcomes.",
    promise="At least once, in order for each alert; deduplicate by `verdict_id`.",
    writers="alerting, one process at a time, from the records; recording does not depend on"
    " readers",
    readers="any consumer that is authorised",
    partitions=3,
    configs=_configs(retention_ms=7 * _DAY, segment_ms=_DAY, max_bytes=64 * _KIB),
)
DEAD_LETTERS = Topic(
    name="dead-letters.v1",
    message="DeadLetter",
    key="topic, partition and offset of the message, with slashes between",
    content="Positions of unusable messages, and the reasons, never their content.",
    promise="At least once; deduplicate by the key.",
    writers="analysis and alerting",
    readers="a person who looks for the cause, with a user of their own; no user of this product",
    partitions=3,
    configs=_configs(retention_ms=14 * _DAY, segment_ms=_DAY, max_bytes=64 * _KIB),
)
TOPICS = (FRAMES, SIGHTINGS, ALERTS, TALLIES, CONTROL, VERDICTS, DEAD_LETTERS)


def plan_topics(
    *,
    replication: int = 3,
    partitions: Mapping[str, int] | None = None,
    frames_retention: timedelta | None = None,
) -> tuple[Topic, ...]:
    """Return the topics of one installation.

    Args:
        replication: Maximum number of copies of each partition; 1 with a single broker.
        partitions: Number of partitions by topic; a topic without entry has the table's number.
        frames_retention: Retention of frames; None for the table's value.

    Raises:
        Misconfigured: A topic is unknown, or its number of partitions is not permitted.
    """
    numbers = dict(partitions or {})
    names = [topic.name for topic in TOPICS]
    for name, number in numbers.items():
        if name not in names:
            raise Misconfigured(
                f"topics.partitions names the unknown topic {name}; the topics are"
                f" {', '.join(names)}."
            )
        is_fixed = name == CONTROL.name
        if number < 1 or (is_fixed and number != 1):
            rule = "it must be 1, since the order counts" if is_fixed else "it must be at least 1"
            raise Misconfigured(f"topics.partitions has {number} for {name}, but {rule}.")
    planned = tuple(
        _sized(topic, min(topic.replicas, replication), numbers.get(topic.name, topic.partitions))
        for topic in TOPICS
    )
    if frames_retention is None:
        return planned
    retention = {"retention.ms": str(round(frames_retention.total_seconds() * _SECOND))}
    return tuple(
        replace(topic, configs={**topic.configs, **retention})
        if topic.name == FRAMES.name
        else topic
        for topic in planned
    )


def _sized(topic: Topic, replicas: int, partitions: int) -> Topic:
    in_sync = {"min.insync.replicas": str(max(1, replicas - topic.spare))}
    return replace(
        topic, replicas=replicas, partitions=partitions, configs={**topic.configs, **in_sync}
    )


@dataclass(frozen=True, slots=True)
class TransitBound:
    """The longest time that a frame can exist on a broker's disk.

    A segment accepts frames for `segment`, and expires when its newest frame is older than
    `retention`. The broker looks for expired segments every `check`, renames the file of each, and
    deletes the file after `delete_delay`.

    Attributes:
        is_check_known: False if the broker did not show its interval; then Kafka's default is used.
    """

    retention: timedelta
    segment: timedelta
    check: timedelta
    delete_delay: timedelta
    is_check_known: bool = True

    @property
    def total(self) -> timedelta:
        """The sum of all four times."""
        return self.retention + self.segment + self.check + self.delete_delay

    def __str__(self) -> str:
        parts = f"retention {_s(self.retention)} + segment roll {_s(self.segment)}"
        source = "" if self.is_check_known else " (Kafka's default: the brokers do not show theirs)"
        parts += f" + check interval {_s(self.check)}{source}"
        parts += f" + delete delay {_s(self.delete_delay)}"
        return f"a frame is gone after at most {_s(self.total)}: {parts}"


def compute_transit_bound(configs: Mapping[str, str], check: timedelta | None) -> TransitBound:
    """Compute the bound of a frames topic with these settings.

    Args:
        configs: Kafka's settings of the topic.
        check: The brokers' longest check interval; None if a broker does not show it.
    """
    milliseconds = {
        name: timedelta(milliseconds=int(configs[name]))
        for name in ("retention.ms", "segment.ms", "file.delete.delay.ms")
    }
    return TransitBound(
        retention=milliseconds["retention.ms"],
        segment=milliseconds["segment.ms"],
        check=CHECK_INTERVAL_DEFAULT if check is None else check,
        delete_delay=milliseconds["file.delete.delay.ms"],
        is_check_known=check is not None,
    )


def _s(duration: timedelta) -> str:
    return f"{duration.total_seconds():g} s"
