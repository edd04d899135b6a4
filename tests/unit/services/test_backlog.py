"""A frame is acknowledged only when no track may have begun with it, and it is tallied."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from openlfr_analysis.backlog import Backlog


def numbers(backlog, quiet):
    return [message.offset for message in backlog.release(lambda place: place.camera in quiet)]


def said(camera, seq=0):
    return SimpleNamespace(camera=camera, epoch=1, seq=seq) if camera else None


def filled(most, *cameras):
    backlog = Backlog(most)
    for offset, camera in enumerate(cameras):
        backlog.add(said(camera, offset), SimpleNamespace(partition=0, offset=offset))
    return backlog


@pytest.mark.parametrize(
    ("cameras", "quiet", "released"),
    [
        ("aab", "ab", [0, 1, 2]),
        ("aab", "b", []),  # what is behind a held frame waits with it
        ("aab", "a", [0, 1]),
        ("", "", []),
    ],
)
def test_the_frames_before_the_first_that_a_track_may_need_are_free(cameras, quiet, released):
    backlog = filled(9, *cameras)
    assert numbers(backlog, quiet) == released
    assert len(backlog) == len(cameras) - len(released)
    assert numbers(backlog, "ab") == list(range(len(released), len(cameras)))


def test_what_is_no_frame_waits_for_no_track():
    assert numbers(filled(9, "", "a", ""), "") == [0]


def test_frames_are_told_apart_by_their_number():
    backlog = filled(9, "a", "a", "a")
    assert [m.offset for m in backlog.release(lambda place: place == ("a", 1, 0))] == [0]
    backlog.clear()
    assert len(backlog) == 0


def test_a_camera_that_is_never_without_a_face_holds_only_so_many():
    assert numbers(filled(2, *"aaaaa"), "") == [0, 1, 2]
    assert numbers(filled(0, *"aaa"), "") == [0, 1, 2]


def test_partitions_do_not_wait_for_each_other():
    backlog = Backlog(9)
    backlog.add(said("a"), SimpleNamespace(partition=0, offset=5))
    backlog.add(said("b"), SimpleNamespace(partition=1, offset=6))
    assert numbers(backlog, "b") == [6]
