"""`openlfr camera check` on real pictures with the real detector."""

from __future__ import annotations

import json
from fractions import Fraction

import cv2
import numpy as np
import pytest

from openlfr.cli import main

DEPLOYMENT = """\
deployment:
  {name: a, purpose: b, place: c, legal_basis: d, authorised_by: Eve,
   starts: 2026-11-23T09:00, ends: 2026-11-23T19:00}
"""


@pytest.fixture
def folder(tmp_path, group_photo, astronaut):
    for name, picture in (("group", group_photo), ("one", astronaut)):
        (tmp_path / name).mkdir()
        for number in range(2):
            assert cv2.imwrite(str(tmp_path / name / f"{number}.png"), picture)
    return tmp_path


@pytest.fixture
def config(folder):
    def write(cameras, deployment=DEPLOYMENT):
        path = folder / "CONFIG.yaml"
        path.write_text(f"data_dir: data\n{deployment}cameras:\n{cameras}")
        return str(path)

    return write


@pytest.mark.usefixtures("model_store")
def test_each_camera_is_described(config, capsys):
    path = config("  group: {url: group}\n  one: {url: one}\n")
    assert main(["camera", "check", "--config", path]) == 0
    messages = capsys.readouterr().out
    assert "1280x886" in messages
    assert "faces      12, 12 of them large enough" in messages
    assert "faces      2, 2 of them large enough" in messages


@pytest.mark.usefixtures("model_store")
def test_one_camera_as_json_and_a_broken_one(config, folder, capsys):
    np.zeros(0).tofile(folder / "empty.mp4")
    path = config("  one: {url: one, input_size: 320}\n  gone: {url: empty.mp4}\n  x: {url: x}\n")
    assert main(["camera", "check", "one", "gone", "--json", "--config", path]) == 1
    seen = capsys.readouterr()
    found = json.loads(seen.out)
    assert list(found) == ["one", "gone"]
    assert found["one"]["input_size"] == [320, 320]
    assert found["one"]["eye_distance"] > 20
    assert "is empty" in found["gone"]["error"]
    assert seen.err.startswith("error: camera gone:")


@pytest.mark.parametrize(
    ("cameras", "deployment", "sentence"),
    [
        ("  one: {url: one}\n", "", "not authorised: deployment.name"),
        ("  {}\n", DEPLOYMENT, "has no camera"),
        ("  one: {url: one}\n", DEPLOYMENT, "has no camera 'two'; its cameras: one"),
    ],
)
def test_errors_before_a_camera_opens_end_the_check(config, capsys, cameras, deployment, sentence):
    names = ["two"] if "two" in sentence else []
    assert main(["camera", "check", *names, "--config", config(cameras, deployment)]) == 2
    assert sentence in capsys.readouterr().err


@pytest.fixture
def film(folder, astronaut):
    """Writes a film of one person, as wide and as oriented as is asked for."""
    import av

    def write(name, *, aspect=None, mirrored=False, interlaced=False, metadata=None):
        picture = cv2.resize(astronaut, (256, 512) if aspect else (512, 512))
        options = {"x264-params": "tff=1"} if interlaced else {}
        with av.open(str(folder / name), "w") as output:
            output.metadata.update(metadata or {})
            stream = output.add_stream("libx264", rate=1, options=options)
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = "yuv420p"
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if mirrored:
                picture = picture[:, ::-1]
                stream.set_display_rotation(0, hflip=True)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            for packet in [*stream.encode(frame), *stream.encode(frame), *stream.encode()]:
                output.mux(packet)

    return write


@pytest.mark.usefixtures("model_store")
@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"aspect": Fraction(2)}, "the pixels are not square (2.00 times as wide as high)"),
        ({"mirrored": True}, "header declares mirrored pictures"),
        ({"interlaced": True}, "the picture is interlaced"),
        ({}, "recording, time assumed: the file has no recording date; set start"),
    ],
)
def test_the_display_orientation_of_a_film_is_reported_and_applied(
    config, film, capsys, how, sentence
):
    film("a.mp4", **how)
    assert main(["camera", "check", "--config", config("  a: {url: a.mp4}\n")]) == 0
    messages = capsys.readouterr().out
    assert sentence in messages
    assert "512x512" in messages
    assert "2 of them large enough" in messages
    assert "from the start of the run: recording, time assumed" in messages


@pytest.mark.usefixtures("model_store")
def test_the_start_time_is_reported(config, film, capsys):
    film("a.mp4", metadata={"creation_time": "2025-07-04T18:30:00Z"})
    path = config("  own: {url: a.mp4}\n  set: {url: a.mp4, start: 2026-11-23T09:00}\n")
    assert main(["camera", "check", "--json", "--config", path]) == 0
    found = json.loads(capsys.readouterr().out)
    starts = [(found[name]["start"], found[name]["start_origin"]) for name in ("own", "set")]
    assert starts == [
        ("2025-07-04T18:30:00+00:00", "recorded"), ("2026-11-23T09:00:00+00:00", "configured"),
    ]  # fmt: skip


@pytest.mark.usefixtures("model_store")
def test_an_unexpected_failure_of_a_camera_does_not_end_the_check(config, capsys, monkeypatch):
    from openlfr.adapters import capture

    original = capture.open_source

    def open_source(name, url, **how):
        if name == "odd":
            raise UnicodeDecodeError("utf-8", b"\xfc", 0, 1, "invalid start byte")
        return original(name, url, **how)

    monkeypatch.setattr(capture, "open_source", open_source)
    assert (
        main(["camera", "check", "--config", config("  odd: {url: one}\n  one: {url: one}\n")]) == 1
    )
    seen = capsys.readouterr()
    assert "error: camera odd: UnicodeDecodeError" in seen.err
    assert "512x512" in seen.out


@pytest.mark.usefixtures("model_store")
def test_frames_of_a_camera_that_breaks_off_are_reported(config, folder, capsys):
    """As a run does, which looks at the frames before the break."""
    import av

    path, noise = folder / "a.mkv", np.random.default_rng(1)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for _ in range(40):
            picture = noise.integers(0, 256, (96, 160, 3), np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        output.mux(stream.encode())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    words = ["--every", "0.1", "--frames", "100"]
    assert main(["camera", "check", *words, "--config", config("  a: {url: a.mkv}\n")]) == 1
    seen = capsys.readouterr()
    assert "frames examined" in seen.out
    assert "breaks off after frame" in seen.out
    assert seen.err == ""
