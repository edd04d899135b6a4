"""Differences between a cluster's topics and the topics that an installation requires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from openlfr.adapters.kafka.topics import CHECK_INTERVAL, FRAMES, compute_transit_bound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from openlfr.adapters.kafka.topics import Topic

_REQUIRED_RIGHT = " grant this user DescribeConfigs on the cluster,"


class Difference(NamedTuple):
    """One difference between a topic and the topic that the installation requires.

    Attributes:
        line: A sentence for the operator.
        topic: Name of the topic.
        setting: A Kafka setting, or "missing", "partitions", "replicas", "rights" or "transit".
        is_fixed_by_apply: Whether `KafkaTopics.apply` can remove the difference.
    """

    line: str
    topic: str
    setting: str
    is_fixed_by_apply: bool


def shape_differences(topic: Topic, partitions: list[dict[str, Any]]) -> Iterator[Difference]:
    """Compare the numbers of partitions and replicas."""
    count = len(partitions)
    if count != topic.partitions:
        too_many = "; Kafka cannot remove partitions" if count > topic.partitions else ""
        yield Difference(
            f"{topic.name}: {count} partitions, must be {topic.partitions}{too_many}",
            topic.name, "partitions", count < topic.partitions,
        )  # fmt: skip
    replicas = sorted({len(each["replica_nodes"]) for each in partitions} - {topic.replicas})
    if replicas:
        yield Difference(
            f"{topic.name}: {replicas[0]} replicas, must be {topic.replicas}; reassign its"
            " partitions with Kafka's own tool, or change topics.replication",
            topic.name, "replicas", False,
        )  # fmt: skip


def hidden_topic(topic: Topic) -> Difference:
    """Describe a topic whose settings Kafka does not show to this user."""
    return Difference(
        f"{topic.name}: Kafka does not show this topic: grant this user Describe and"
        " DescribeConfigs on it",
        topic.name, "rights", False,
    )  # fmt: skip


def setting_differences(
    topic: Topic, configs: dict[str, str], replicas_differ: bool
) -> Iterator[Difference]:
    """Compare Kafka's settings of the topic."""
    for key, value in topic.configs.items():
        present = configs.get(key, "not shown")
        if present != value:
            line = f"{topic.name}: {key} is {present}, must be {value}"
            # If more in-sync replicas are required than exist, every producer stops.
            harmful = replicas_differ and key == "min.insync.replicas"
            yield Difference(line, topic.name, key, not harmful)


def transit_differences(
    configs: dict[str, str], check: timedelta | None, promised: timedelta
) -> Iterator[Difference]:
    """Compare the longest time that a frame can exist with the promised time."""
    try:
        bound = compute_transit_bound(configs, check)
    except (KeyError, ValueError):
        return  # `setting_differences` has reported these settings
    if bound.total > promised:
        yield Difference(
            f"{FRAMES.name}: {bound}; at most {promised.total_seconds():g} s are promised:"
            f"{'' if bound.is_check_known else _REQUIRED_RIGHT} set {CHECK_INTERVAL} on the"
            " brokers, or raise topics.frames_transit",
            FRAMES.name, "transit", False,
        )  # fmt: skip
