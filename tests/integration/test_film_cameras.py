"""Videos served as RTSP cameras are unchanged, and the log records when each frame was sent."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from film_cameras import FilmCameras, make_film

from awaiting import PATIENCE_S
from openlfr.adapters.capture import open_source
from openlfr.simulate import frame_number

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("film") / "street.mp4")


def watch(url, frames):
    """Return the first frames: sequence number, number in the film, and time of arrival.

    A busy machine may skip some frames. The connection is closed afterwards.
    """
    before = set(threading.enumerate())
    source = open_source("gate", url, epoch=0, start=datetime.now(UTC))
    seen = [
        (frame.seq, frame_number.read_number(frame.image), frame.captured_at)
        for frame in islice(source.frames(), frames)
    ]
    for thread in set(threading.enumerate()) - before:
        thread.join()
    return source, seen


def test_two_cameras_repeat_the_film(film, tmp_path):
    with FilmCameras(tmp_path, f"gate={film}", f"yard={film}") as cameras:
        assert set(cameras.urls) == {"gate", "yard"}
        source, seen = watch(cameras.urls["gate"], 60)
        assert source.fps == 20
        assert [number for _, number, _ in seen] == [seq % 40 for seq, _, _ in seen]
        watch(cameras.urls["yard"], 5)
        sent = cameras.sent()
    left = {(each["loop"], each["frame"]): each for each in sent if each["camera"] == "gate"}
    for seq, number, seen_at in seen:
        sent_at = datetime.fromisoformat(left[seq // 40, number]["sent_at"])
        assert timedelta() < seen_at - sent_at < timedelta(seconds=PATIENCE_S)
    times = [datetime.fromisoformat(each["sent_at"]) for each in left.values()]
    assert all(a < b for a, b in pairwise(times))
    assert {each["camera"] for each in sent} == {"gate", "yard"}


def test_a_viewer_after_all_others_left_receives_the_film_from_its_start(film, tmp_path):
    with FilmCameras(tmp_path, f"gate={film}") as cameras:
        for _ in range(2):
            _, seen = watch(cameras.urls["gate"], 15)
            assert [number for _, number, _ in seen] == [seq for seq, _, _ in seen]
            assert seen[-1][0] < 40  # of its first round


def test_a_port_in_use_is_reported(film, tmp_path):
    with FilmCameras(tmp_path, f"gate={film}") as cameras:
        command = ["simulate", "cameras", str(film), "--port", str(cameras.port)]
        done = subprocess.run(
            [sys.executable, "-m", "openlfr", *command],
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
    assert done.returncode == 3
    assert f"127.0.0.1:{cameras.port}; another program may be using it" in done.stderr
