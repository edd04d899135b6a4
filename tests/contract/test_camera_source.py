"""Every camera source that reads files yields the same frame numbers and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import cv2
import numpy as np
import pytest

from openlfr.adapters.capture import open_source

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
FPS = 10
LENGTH = 30


@pytest.fixture(params=["mp4", "mp4 long gops", "mp4 open gops", "mkv", "ts", "avi", "folder"])
def opened(request, make_video, tmp_path):
    kind = request.param.split()[0]
    options = {
        "mp4 long gops": {"g": "250", "bf": "3"},
        "mp4 open gops": {"g": "7", "bf": "2", "x264-params": "open-gop=1:scenecut=0"},
    }.get(request.param, {"g": "5", "bf": "2"})
    if kind == "folder":
        path = tmp_path / "pictures"
        path.mkdir()
        for number in range(LENGTH):
            grey = np.full((48, 64, 3), 10 + 8 * number, np.uint8)
            assert cv2.imwrite(str(path / f"frame {number}.png"), grey)
    else:
        path = make_video(f"video.{kind}", frames=LENGTH, fps=FPS, options=options)

    def open_it(**how):
        how.setdefault("fps", FPS if kind == "folder" else None)
        return open_source("gate", str(path), epoch=3, start=START, **how)

    return open_it


def shown(frame):
    """Return the number that the picture encodes."""
    return round((float(frame.image.mean()) - 9) / 8)


def test_frames_have_their_number_and_time(opened):
    source = opened()
    frames = list(source.frames())
    assert [f.seq for f in frames] == list(range(LENGTH))
    assert [shown(f) for f in frames] == list(range(LENGTH))
    assert {(f.camera, f.epoch) for f in frames} == {("gate", 3)}
    assert source.fps == FPS
    gaps = [f.captured_at - START - timedelta(seconds=f.seq / FPS) for f in frames]
    assert max(abs(gap) for gap in gaps) < timedelta(milliseconds=1)


def test_pictures_are_plain_bgr(opened):
    image = next(opened().frames()).image
    assert (image.shape, image.dtype, image.flags.c_contiguous) == ((48, 64, 3), np.uint8, True)


@pytest.mark.parametrize("first", [1, 6, 7, 17, LENGTH - 1])
def test_a_later_start_yields_the_same_frames(opened, first):
    whole = list(opened().frames())[first:]
    later = list(opened().frames(first_seq=first))
    assert [f.seq for f in later] == [f.seq for f in whole]
    assert [f.captured_at for f in later] == [f.captured_at for f in whole]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(later, whole, strict=True))


def test_a_start_after_the_end_yields_no_frame(opened):
    assert list(opened().frames(first_seq=LENGTH)) == []


def test_a_loop_continues_number_and_time(opened):
    frames = list(islice(opened(loop=True).frames(), 2 * LENGTH + 5))
    assert [f.seq for f in frames] == list(range(2 * LENGTH + 5))
    assert [shown(f) for f in frames] == [n % LENGTH for n in range(2 * LENGTH + 5)]
    last = START + timedelta(seconds=(2 * LENGTH + 4) / FPS)
    assert abs(frames[-1].captured_at - last) < timedelta(milliseconds=1)


def test_a_loop_can_start_in_its_third_round(opened):
    frame = next(opened(loop=True).frames(first_seq=2 * LENGTH + 3))
    assert (frame.seq, shown(frame)) == (2 * LENGTH + 3, 3)


def test_closing_ends_the_frames(opened):
    source = opened(loop=True)
    frames = source.frames()
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []


def test_no_frame_is_counted_as_lost(opened):
    source = opened()
    list(source.frames())
    assert (source.unreadable, source.sampled_away, list(source.problems)) == (0, 0, [])
    assert source.frame_count == LENGTH
    assert not source.is_live
