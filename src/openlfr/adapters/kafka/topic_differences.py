"""Differences between the topics of a cluster and those that an installation needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from openlfr.adapters.kafka.topics import CHECK_INTERVAL, FRAMES, transit_bound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from openlfr.adapters.kafka.topics import Topic

_NEEDED_RIGHT = " let this user see it (DescribeConfigs on the cluster),"


class Difference(NamedTuple):
    """One difference between a topic and what the installation needs.

    Attributes:
        line: A sentence for the operator.
        topic: Name of the topic.
        setting: A Kafka setting, or "missing", "partitions", "replicas", "rights" or "transit".
        mended_by_apply: Whether `KafkaTopics.apply` can remove the difference.
    """

    line: str
    topic: str
    setting: str
    mended_by_apply: bool


def shape_differences(topic: Topic, partitions: list[dict[str, Any]]) -> Iterator[Difference]:
    """Compare the numbers of partitions and replicas."""
    have = len(partitions)
    if have != topic.partitions:
        too_many = "; Kafka cannot take partitions away" if have > topic.partitions else ""
        yield Difference(
            f"{topic.name}: {have} partitions, must be {topic.partitions}{too_many}",
            topic.name, "partitions", have < topic.partitions,
        )  # fmt: skip
    copies = sorted({len(each["replica_nodes"]) for each in partitions} - {topic.replicas})
    if copies:
        yield Difference(
            f"{topic.name}: {copies[0]} replicas, must be {topic.replicas}; reassign its"
            " partitions with Kafka's own tool, or change topics.replication",
            topic.name, "replicas", False,
        )  # fmt: skip


def hidden_topic(topic: Topic) -> Difference:
    """The difference of a topic whose settings Kafka does not show to this user."""
    return Difference(
        f"{topic.name}: Kafka does not show it to this user, who needs Describe and"
        " DescribeConfigs on it",
        topic.name, "rights", False,
    )  # fmt: skip


def setting_differences(
    topic: Topic, configs: dict[str, str], copies_differ: bool
) -> Iterator[Difference]:
    """Compare Kafka's settings of the topic."""
    for key, value in topic.configs.items():
        have = configs.get(key, "not shown")
        if have != value:
            line = f"{topic.name}: {key} is {have}, must be {value}"
            # More in-sync replicas than there are replicas would stop every producer.
            harmful = copies_differ and key == "min.insync.replicas"
            yield Difference(line, topic.name, key, not harmful)


def transit_differences(
    configs: dict[str, str], check: timedelta | None, promised: timedelta
) -> Iterator[Difference]:
    """Compare the longest time that a frame can exist with the promised time."""
    try:
        bound = transit_bound(configs, check)
    except (KeyError, ValueError):
        return  # `setting_differences` has reported these settings
    if bound.total > promised:
        yield Difference(
            f"{FRAMES.name}: {bound}; at most {promised.total_seconds():g} s are promised:"
            f"{'' if bound.check_known else _NEEDED_RIGHT} set {CHECK_INTERVAL} on the brokers, or"
            " accept more in topics.frames_transit",
            FRAMES.name, "transit", False,
        )  # fmt: skip
