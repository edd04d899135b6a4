"""The assignment of cameras' frames to partitions, round-robin.

A hash of their names would spread cameras by chance. Then four cameras on two workers are all on
one worker in one case of eight. With 1,000 cameras on 120 partitions, the fullest partition has
twice the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka.partitioner import DefaultPartitioner

if TYPE_CHECKING:
    from collections.abc import Sequence


class RoundRobinPartitioner(DefaultPartitioner):  # type: ignore[misc]
    """A partitioner that assigns the first key to the first partition, and so on.

    All producers of a topic must list the same keys in the same order. A key added at the end moves
    no other key. Other keys are hashed, as in Kafka's own clients.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Assign these keys, in this order."""
        self._index = {key.encode(): index for index, key in enumerate(keys)}

    def partition(
        self, topic: str, key: Any, serialized_key: bytes | None, value: Any, raw: Any, cluster: Any
    ) -> int:
        """Return the partition of a record; called by kafka-python."""
        index = self._index.get(serialized_key or b"")
        if index is None:
            number: int = super().partition(topic, key, serialized_key, value, raw, cluster)
            return number
        partitions: list[int] = sorted(cluster.partitions_for_topic(topic))
        return partitions[index % len(partitions)]
