"""`openlfr camera check` on real pictures with the real detector."""

from __future__ import annotations

import json

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
    said = capsys.readouterr().out
    assert "1280x886" in said
    assert "faces      12, of which 12 are large enough" in said
    assert "faces      2, of which 2 are large enough" in said


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
        ("  {}\n", DEPLOYMENT, "names no camera"),
        ("  one: {url: one}\n", DEPLOYMENT, "has no camera 'two'; known are: one"),
    ],
)
def test_what_stops_it_before_a_camera_opens(config, capsys, cameras, deployment, sentence):
    names = ["two"] if "two" in sentence else []
    assert main(["camera", "check", *names, "--config", config(cameras, deployment)]) == 2
    assert sentence in capsys.readouterr().err
