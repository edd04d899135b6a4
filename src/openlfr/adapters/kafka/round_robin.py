"""Which partition a camera's frames go to: cameras are dealt out like cards.

Hashing their names would spread them by chance: four cameras over two workers stand with one of
them every eighth time, and of 1,000 cameras over 120 partitions the fullest has twice the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka.partitioner import DefaultPartitioner

if TYPE_CHECKING:
    from collections.abc import Sequence


class Dealt(DefaultPartitioner):  # type: ignore[misc]
    """Gives the first key the first partition, the second the second, and so on, round and round.

    Whoever shares a topic must deal the same keys in the same order. A key that is added at the end
    moves no other one. What is not among the keys is hashed, as Kafka's clients do.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Deal these."""
        self._turns = {key.encode(): turn for turn, key in enumerate(keys)}

    def partition(
        self, topic: str, key: Any, serialized_key: bytes | None, value: Any, raw: Any, cluster: Any
    ) -> int:
        """The partition of a record, as kafka-python asks for it."""
        turn = self._turns.get(serialized_key or b"")
        if turn is None:
            number: int = super().partition(topic, key, serialized_key, value, raw, cluster)
            return number
        partitions: list[int] = sorted(cluster.partitions_for_topic(topic))
        return partitions[turn % len(partitions)]
