"""The rights of each user on Kafka: one table, used to check topics and to print ACL commands.

A service has rights on the topics that it reads or writes, and on no other topics. Only these
rights prevent other services than analysis from reading frames, since network rules protect brokers
and not topics. The chart's KafkaUsers have the same rights, as `tests/chart/test_chart_kafka.py`
checks.
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

_DESCRIBE = ("Describe", "DescribeConfigs")


@dataclass(frozen=True, slots=True)
class TopicUse:
    """The topics of one service.

    Attributes:
        reads, writes: The topics that the service reads, and the topics that it writes.
        group: Whether the service reads as a member of a consumer group.
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
    """The operations that a user may perform on one resource.

    Attributes:
        kind: topic, group or cluster.
        name: Name of the topic or the group; empty for the cluster.
        operations: Kafka's operations, such as Read.
    """

    kind: str
    name: str
    operations: tuple[str, ...]


def rights_by_user(groups: str = "openlfr-") -> dict[str, list[Right]]:
    """Return the rights of each user: the services, operators, the topics Job and KEDA's scaler.

    Args:
        groups: Prefix of consumer groups; the rest of a group's name is its service.
    """
    table = {name: list(_rights_of_service(use, f"{groups}{name}")) for name, use in USES.items()}
    brokers = Right("cluster", "", ("DescribeConfigs",))  # to read their check interval
    apply = ("Create", "Alter", "AlterConfigs", *_DESCRIBE)
    table["operator"] = [*(Right("topic", topic.name, _DESCRIBE) for topic in TOPICS), brokers]
    table["topics"] = [*(Right("topic", topic.name, apply) for topic in TOPICS), brokers]
    table["scaler"] = [
        *(Right("topic", topic.name, ("Describe",)) for topic in TOPICS),
        *(
            Right("group", f"{groups}{name}", ("Describe",))
            for name, use in USES.items()
            if use.group
        ),
    ]
    return table


def acl_commands(users: Mapping[str, str], *, groups: str = "openlfr-") -> Iterator[str]:
    """Yield the arguments of Kafka's `kafka-acls.sh`, one line per user and set of operations.

    Args:
        users: The principal of each user, such as `User:openlfr-ingest`.
        groups: Prefix of consumer groups.
    """
    table = rights_by_user(groups)
    for user, principal in users.items():
        names_by_operations: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for right in table[user]:
            names_by_operations.setdefault((right.kind, right.operations), []).append(right.name)
        for (kind, operations), names in names_by_operations.items():
            words = [f"--operation {each}" for each in operations]
            words += ["--cluster"] if kind == "cluster" else [f"--{kind} {name}" for name in names]
            yield f"--add --force --allow-principal {shlex.quote(principal)} {' '.join(words)}"


def _rights_of_service(use: TopicUse, group: str) -> Iterator[Right]:
    for topic in use.topics:
        operations = [
            name for name, topics in (("Read", use.reads), ("Write", use.writes)) if topic in topics
        ]
        yield Right("topic", topic.name, (*operations, *_DESCRIBE))
    if use.group:
        yield Right("group", group, ("Read", "Describe"))
