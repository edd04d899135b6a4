"""Which films can be served as cameras, and under which names."""

from __future__ import annotations

from pathlib import Path

import pytest

from openlfr.cli import main
from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.simulate import cameras
from openlfr.simulate.cameras import name_cameras, read_film


@pytest.mark.parametrize(
    ("videos", "names"),
    [
        (["gate=a.mp4", "b.mp4"], ["gate", "b"]),
        (["north/video.mp4", "south/video.mp4"], ["north", "south"]),
        (["gate=a.mp4", "yard=a.mp4"], ["gate", "yard"]),
    ],
)
def test_a_camera_is_named_after_its_film(videos, names):
    assert list(name_cameras(videos)) == names


@pytest.mark.parametrize(
    ("videos", "sentence"),
    [
        (["gate=a.mp4", "gate=b.mp4"], "Two cameras are called gate"),
        (["a gate=a.mp4"], "cannot be called 'a gate'"),
        (["=a.mp4"], "cannot be called ''"),
    ],
)
def test_a_name_that_cannot_be_is_refused(videos, sentence):
    with pytest.raises(Misconfigured, match=sentence):
        name_cameras(videos)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "2", "g": "12"}])
def test_a_film_retains_its_frames_and_their_rate(make_video, name, options):
    film = read_film(make_video(name, frames=30, fps=10, options=options))
    sent, shown = ([frame[which] for frame in film.frames] for which in (2, 3))
    assert sorted(frame[4] for frame in film.frames) == list(range(30))
    assert film.seconds == pytest.approx(3.0, abs=0.01)
    assert sent == pytest.approx([sent[0] + number / 10 for number in range(30)], abs=0.002)
    assert all(0 <= b <= a for a, b in zip(sent, shown, strict=True))
    assert sum(frame[1] for frame in film.frames) == len(film.content)


def test_a_file_that_is_no_h264_is_refused(make_video, tmp_path):
    with pytest.raises(BadInput, match="is mpeg4: cameras send"):
        read_film(make_video("film.mp4", codec="mpeg4", options={"qp": "2"}))
    with pytest.raises(BadInput, match="cannot be read as a video"):
        read_film(tmp_path / "nothing.mp4")


def test_a_missing_server_is_reported_with_the_package_to_install(monkeypatch, capsys):
    monkeypatch.setattr(cameras, "PYTHON", str(Path("/nowhere/python3")))
    assert main(["simulate", "cameras", "film.mp4"]) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "apt-get install gir1.2-gst-rtsp-server-1.0" in error
