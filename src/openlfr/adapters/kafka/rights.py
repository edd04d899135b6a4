"""The rights of each user on Kafka: one table, used to check topics and to print ACL commands.

A service has rights on the topics that it reads and writes, and on no others. That analysis alone
may read frames is decided here and nowhere else: network rules protect brokers, not topics. The
chart's KafkaUsers have the same rights (`tests/chart/test_chart_kafka.py` compares them).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.adapters.kafka.topics import (
    ALERTS,
    CONTROL,
    DEAD_LETTERS,
    FRAMES,
    SIGHTINGS,
    TALLIES,
    TOPICS,
    VERDICTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openlfr.adapters.kafka.topics import Topic

_LOOK = ("Describe", "DescribeConfigs")


@dataclass(frozen=True, slots=True)
class TopicUse:
    """The topics of one service.

    Attributes:
        reads, writes: The topics that the service reads, and those that it writes.
        group: Whether the service reads in a consumer group.
    """

    reads: tuple[Topic, ...] = ()
    writes: tuple[Topic, ...] = ()
    group: bool = False

    @property
    def topics(self) -> tuple[Topic, ...]:
        """All topics of the service, in the order of `TOPICS`."""
        return tuple(each for each in TOPICS if each in (*self.reads, *self.writes))


USES: Mapping[str, TopicUse] = {
    "ingest": TopicUse(reads=(CONTROL,), writes=(FRAMES, TALLIES)),
    "analysis": TopicUse(
        reads=(FRAMES, CONTROL), writes=(SIGHTINGS, TALLIES, DEAD_LETTERS), group=True
    ),
    "alerting": TopicUse(
        reads=(SIGHTINGS, ALERTS, TALLIES, CONTROL),
        writes=(ALERTS, CONTROL, VERDICTS, DEAD_LETTERS),
        group=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Right:
    """The operations that a user may do on one resource.

    Attributes:
        kind: topic, group or cluster.
        name: Name of the topic or the group; empty for the cluster.
        operations: Names of Kafka's operations, such as Read.
    """

    kind: str
    name: str
    operations: tuple[str, ...]


def rights(groups: str = "openlfr-") -> dict[str, list[Right]]:
    """The rights of each user: the services, operators, the topics Job and KEDA's scaler.

    Args:
        groups: Prefix of consumer groups; the rest of a group's name is its service.
    """
    found = {name: list(_service(use, f"{groups}{name}")) for name, use in USES.items()}
    brokers = Right("cluster", "", ("DescribeConfigs",))  # to read their check interval
    make = ("Create", "Alter", "AlterConfigs", *_LOOK)
    found["operator"] = [*(Right("topic", topic.name, _LOOK) for topic in TOPICS), brokers]
    found["topics"] = [*(Right("topic", topic.name, make) for topic in TOPICS), brokers]
    found["scaler"] = [
        *(Right("topic", topic.name, ("Describe",)) for topic in TOPICS),
        *(
            Right("group", f"{groups}{name}", ("Describe",))
            for name, use in USES.items()
            if use.group
        ),
    ]
    return found


def acl_commands(users: Mapping[str, str], *, groups: str = "openlfr-") -> Iterator[str]:
    """Arguments of Kafka's own `kafka-acls.sh`, a line for all resources with the same operations.

    Args:
        users: The principal of each user, such as `User:openlfr-ingest`.
        groups: Prefix of consumer groups.
    """
    table = rights(groups)
    for user, principal in users.items():
        alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for right in table[user]:
            alike.setdefault((right.kind, right.operations), []).append(right.name)
        for (kind, operations), names in alike.items():
            words = [f"--operation {each}" for each in operations]
            words += ["--cluster"] if kind == "cluster" else [f"--{kind} {name}" for name in names]
            yield f"--add --force --allow-principal {shlex.quote(principal)} {' '.join(words)}"


def _service(use: TopicUse, group: str) -> Iterator[Right]:
    for topic in use.topics:
        may = [
            name for name, those in (("Read", use.reads), ("Write", use.writes)) if topic in those
        ]
        yield Right("topic", topic.name, (*may, *_LOOK))
    if use.group:
        yield Right("group", group, ("Read", "Describe"))
