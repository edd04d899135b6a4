"""Who may do what on Kafka: one table, by which services check topics and rights are printed.

A service is given what it reads and writes, and looks at nothing else. That analysis alone may
read frames is decided here and nowhere else: a network sees brokers, not topics. The chart's
KafkaUsers say the same (`tests/chart/test_chart_kafka.py` compares them).
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
        reads, writes: What it reads and what it writes.
        group: Whether it is a worker of a consumer group.
    """

    reads: tuple[Topic, ...] = ()
    writes: tuple[Topic, ...] = ()
    group: bool = False

    @property
    def topics(self) -> tuple[Topic, ...]:
        """All of them, in the order of the table of topics."""
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
    """What a user may do with one resource.

    Attributes:
        kind: topic, group or cluster.
        name: Of the topic or the group; empty for the cluster.
        operations: As Kafka calls them, such as Read.
    """

    kind: str
    name: str
    operations: tuple[str, ...]


def rights(groups: str = "openlfr-") -> dict[str, list[Right]]:
    """The rights of each user: of services and people, of the topics Job and of KEDA's scaler.

    Args:
        groups: What consumer groups begin with; each is named for its service.
    """
    found = {name: list(_service(use, f"{groups}{name}")) for name, use in USES.items()}
    brokers = Right("cluster", "", ("DescribeConfigs",))  # how often they look what may go
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
        users: The principal of each user that rights are wanted for, such as `User:openlfr-ingest`.
        groups: What consumer groups begin with.
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
