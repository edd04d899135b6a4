"""A frame is acknowledged only when it is tallied and no live track may have begun with it."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from openlfr_analysis.backlog import Backlog


def released_offsets(backlog, quiet):
    free = backlog.release(quiet.__contains__, lambda place: True)
    return [message.offset for message in free]


def encoded(camera, seq=0):
    return SimpleNamespace(camera=camera, epoch=1, seq=seq) if camera else None


def filled(most, *cameras):
    backlog = Backlog(most)
    for offset, camera in enumerate(cameras):
        backlog.add(encoded(camera, offset), SimpleNamespace(partition=0, offset=offset))
    return backlog


@pytest.mark.parametrize(
    ("cameras", "quiet", "released"),
    [
        ("aab", "ab", [0, 1, 2]),
        ("aab", "b", []),  # what is behind a held frame waits with it
        ("aab", "a", [0, 1]),
        ("aba", "a", []),  # else its pass would come again without its beginning
        ("aabb", "b", []),
        ("abab", "ab", [0, 1, 2, 3]),
        ("", "", []),
    ],
)
def test_the_frames_before_the_first_that_a_track_may_need_are_free(cameras, quiet, released):
    backlog = filled(9, *cameras)
    assert released_offsets(backlog, quiet) == released
    assert len(backlog) == len(cameras) - len(released)
    assert released_offsets(backlog, "ab") == list(range(len(released), len(cameras)))


def test_what_is_no_frame_waits_for_no_track():
    assert released_offsets(filled(9, "", "a", ""), "") == [0]


def test_frames_wait_for_their_tally():
    backlog = filled(9, "a", "a", "a")
    assert backlog.release(lambda camera: True, lambda place: place.seq < 2) == []
    backlog.add(encoded("a", 3), SimpleNamespace(partition=0, offset=3))
    free = backlog.release(lambda camera: False, lambda place: True)
    assert [message.offset for message in free] == [0, 1, 2]  # it rested there
    backlog.clear()
    assert len(backlog) == 0


@pytest.mark.parametrize("seed", range(20))
def test_whoever_begins_anew_behind_what_is_free_sees_every_pass_from_its_beginning(seed):
    """Three cameras in one partition, their passes at random, looked at in batches at random."""
    rng = random.Random(seed)
    backlog = Backlog()
    live, alive, acknowledged = dict.fromkeys("abc", False), {}, 0
    for offset in range(300):
        camera = rng.choice("abc")
        live[camera] ^= rng.random() < 0.3  # a pass begins or ends with this frame
        alive[offset] = dict(live)
        backlog.add(encoded(camera, offset), SimpleNamespace(partition=0, offset=offset))
        if rng.random() < 0.4:
            free = backlog.release(lambda camera: not live[camera], lambda place: True)
            assert [message.offset for message in free] == [
                *range(acknowledged, acknowledged + len(free))
            ]
            acknowledged += len(free)
            if free:
                assert not any(alive[free[-1].offset].values())
    assert acknowledged > 30


def test_a_camera_that_is_never_without_a_face_holds_only_so_many():
    backlog, none_held = filled(2, *"aaaaa"), filled(0, *"aaa")
    assert released_offsets(backlog, "") == [0, 1, 2]
    assert backlog.acknowledged_early == 3  # and that is counted
    assert released_offsets(none_held, "") == [0, 1, 2]
    assert none_held.acknowledged_early == 0  # it was never promised


def test_partitions_do_not_wait_for_each_other():
    backlog = Backlog(9)
    backlog.add(encoded("a"), SimpleNamespace(partition=0, offset=5))
    backlog.add(encoded("b"), SimpleNamespace(partition=1, offset=6))
    assert released_offsets(backlog, "b") == [6]
