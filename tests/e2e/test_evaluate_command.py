"""`openlfr evaluate` with the real models, on photos in installed packages."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from openlfr.cli import main


@pytest.fixture
def set_dir(tmp_path, yunet, group_photo):
    """Five people with two photos each (the second mirrored and darker) and one stranger."""
    faces = yunet.detect([group_photo], (1280, 896))[0]
    for number, face in enumerate(faces):
        x, y, w, h = (int(v) for v in face.box)
        picture = group_photo[max(0, y - h // 2) : y + h + h // 2, max(0, x - w // 2) : x + 2 * w]
        folder = tmp_path / "images" / f"person_{number}"
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "1.jpg"), picture)
        if number:
            cv2.imwrite(str(folder / "2.jpg"), (picture[:, ::-1] * 0.8).astype(np.uint8))
    return tmp_path


def test_people_are_identified_and_the_result_is_printed_and_written(set_dir, capsys):
    (set_dir / "images/person_1/3.jpg").write_bytes(b"\xff\xd8\xff broken")
    assert main(["evaluate", str(set_dir), "--json", str(set_dir / "result.json")]) == 0
    output = capsys.readouterr()
    assert "5 people enrolled, searched with 6 other photos of them, 1 strangers" in output.out
    assert "1 strangers are too few for FPIR 0.1: " in output.out
    assert "images/person_1/3.jpg is not a picture, and counts as a failure" in output.err
    result = json.loads((set_dir / "result.json").read_text())
    assert result["rank1"] == pytest.approx(5 / 6)
    assert result["tpir_at_fpir"]["0.1"]["tpir"] is None
    assert result["failures_to_acquire"] == 1


def test_json_to_stdout_is_json_alone(set_dir, capsys):
    assert main(["evaluate", str(set_dir), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["gallery"] == 5


@pytest.mark.parametrize("content", [None, "images"])
def test_a_missing_or_empty_set_is_reported_in_one_sentence(tmp_path, capsys, content):
    if content:
        (tmp_path / "set" / content).mkdir(parents=True)
    assert main(["evaluate", str(tmp_path / "set")]) == 2
    output = capsys.readouterr().err
    assert output.startswith("error: ")
    assert output.count("\n") == 1
