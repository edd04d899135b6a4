"""A frame is acknowledged only when it is tallied and no live track may have begun with it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from openlfr_analysis.acknowledgement_queue import AcknowledgementQueue


@dataclass(frozen=True)
class Frame:
    camera: str
    seq: int
    epoch: int = 1


@dataclass(frozen=True)
class Message:
    offset: int
    partition: int = 0


def acknowledged_offsets(queue, quiet):
    messages = queue.pop_acknowledgeable(quiet.__contains__, lambda frame: True)
    return [message.offset for message in messages]


def encoded(camera, seq=0):
    return Frame(camera, seq) if camera else None


def filled(max_queued, *cameras):
    queue = AcknowledgementQueue(max_queued)
    for offset, camera in enumerate(cameras):
        queue.add(encoded(camera, offset), Message(offset))
    return queue


@pytest.mark.parametrize(
    ("cameras", "quiet", "acknowledged"),
    [
        ("aab", "ab", [0, 1, 2]),
        ("aab", "b", []),  # later messages of the partition wait, too
        ("aab", "a", [0, 1]),
        ("aba", "a", []),  # else Kafka would deliver the pass of b without its first frame
        ("aabb", "b", []),
        ("abab", "ab", [0, 1, 2, 3]),
        ("", "", []),
    ],
)
def test_frames_before_every_live_track_are_acknowledged(cameras, quiet, acknowledged):
    queue = filled(9, *cameras)
    assert acknowledged_offsets(queue, quiet) == acknowledged
    assert len(queue) == len(cameras) - len(acknowledged)
    assert acknowledged_offsets(queue, "ab") == list(range(len(acknowledged), len(cameras)))


def test_a_message_without_a_frame_waits_for_no_track():
    assert acknowledged_offsets(filled(9, "", "a", ""), "") == [0]


def test_frames_wait_for_their_tally():
    queue = filled(9, "a", "a", "a")
    assert queue.pop_acknowledgeable(lambda camera: True, lambda frame: frame.seq < 2) == []
    queue.add(encoded("a", 3), Message(3))
    messages = queue.pop_acknowledgeable(lambda camera: False, lambda frame: True)
    assert [message.offset for message in messages] == [0, 1, 2]  # the camera was quiet after 2
    queue.clear()
    assert len(queue) == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_restart_after_the_acknowledged_messages_repeats_every_unfinished_pass(seed):
    """Three cameras share a partition; passes and batches are random."""
    rng = random.Random(seed)
    queue = AcknowledgementQueue()
    live, live_after, acknowledged = dict.fromkeys("abc", False), {}, 0
    for offset in range(300):
        camera = rng.choice("abc")
        live[camera] ^= rng.random() < 0.3  # a pass begins or ends with this frame
        live_after[offset] = dict(live)
        queue.add(encoded(camera, offset), Message(offset))
        if rng.random() < 0.4:
            messages = queue.pop_acknowledgeable(
                lambda camera: not live[camera], lambda frame: True
            )
            assert [message.offset for message in messages] == [
                *range(acknowledged, acknowledged + len(messages))
            ]
            acknowledged += len(messages)
            if messages:
                assert not any(live_after[messages[-1].offset].values())
    assert acknowledged > 30


def test_a_camera_that_is_never_without_a_face_retains_a_limited_number_of_frames():
    queue, no_delay = filled(2, *"aaaaa"), filled(0, *"aaa")
    assert acknowledged_offsets(queue, "") == [0, 1, 2]
    assert queue.acknowledged_early == 3
    assert acknowledged_offsets(no_delay, "") == [0, 1, 2]
    assert no_delay.acknowledged_early == 0  # only the limit counts


def test_partitions_do_not_wait_for_each_other():
    queue = AcknowledgementQueue(9)
    queue.add(encoded("a"), Message(5))
    queue.add(encoded("b"), Message(6, partition=1))
    assert acknowledged_offsets(queue, "b") == [6]
