"""Cameras are spread evenly over partitions, and stay where they are when one is added."""

from __future__ import annotations

from collections import Counter

import pytest

from openlfr.adapters.kafka.round_robin import RoundRobinPartitioner


class Cluster:
    """What kafka-python knows of a topic, as far as it is asked."""

    def __init__(self, partitions: int) -> None:
        self._partitions = set(range(partitions))

    def topics(self) -> set[str]:
        return {"frames.v1"}

    def partitions_for_topic(self, _: str) -> set[int]:
        return self._partitions

    available_partitions_for_topic = partitions_for_topic


def places(cameras: list[str], partitions: int, asked: list[str] | None = None) -> list[int]:
    partitioner, cluster = RoundRobinPartitioner(cameras), Cluster(partitions)
    return [
        partitioner.partition("frames.v1", name, name.encode(), None, None, cluster)
        for name in asked or cameras
    ]


@pytest.mark.parametrize(("cameras", "partitions"), [(4, 12), (12, 12), (50, 12), (1000, 120)])
def test_no_partition_has_two_cameras_more_than_another(cameras, partitions):
    full = Counter(places([f"camera-{n}" for n in range(cameras)], partitions))
    assert max(full.values()) - min(full.get(n, 0) for n in range(partitions)) <= 1


def test_the_first_cameras_are_on_adjacent_partitions_that_different_workers_read():
    assert places(["gate", "hall", "yard"], 12) == [0, 1, 2]


def test_a_camera_added_at_the_end_moves_no_other():
    before = [f"camera-{n}" for n in range(20)]
    assert places([*before, "new"], 6)[:20] == places(before, 6)


def test_other_keys_are_hashed_as_by_other_clients():
    unknown = ["a", "camera-b-1", "ü"]
    assert places(["gate"], 12, unknown) == places([], 12, unknown) == [4, 3, 2]
