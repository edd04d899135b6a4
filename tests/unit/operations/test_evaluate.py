"""The experiment over a folder: enrolled people, searched people, and the effect of failures."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box, Detection
from openlfr.domain.templates import GalleryFacts
from openlfr.operations.evaluate import evaluate, most_central
from openlfr.stages.align import TARGET

BLACK = (0, 0, 0)


def face_at(x, y, score=0.9):
    return Detection(
        Box(x - 20, y - 20, 40, 40), np.float32(TARGET + np.array([x - 56, y - 72])), score
    )


class Colours:
    """Finds a face in every picture that is not black; its colour is the person."""

    facts = GalleryFacts("colours", "c0ffee", 3, "arcface-112", 0.5)

    def detect(self, images, input_size):
        self.input_size = input_size
        return [[face_at(56, 72, 0.59), face_at(60, 60)] if i.max() else [] for i in images]

    def embed(self, faces):
        colours = faces.reshape(len(faces), -1, 3).max(axis=1).astype(np.float32)
        return colours / np.linalg.norm(colours, axis=1, keepdims=True)


@pytest.fixture
def make_set(tmp_path):
    def make(people):
        for name, photos in people.items():
            folder = tmp_path / "images" / name
            folder.mkdir(parents=True)
            for number, photo in enumerate(photos, 1):
                path = folder / f"{name}_{number:04}.png"
                if isinstance(photo, bytes):
                    path.write_bytes(photo)
                else:
                    cv2.imwrite(str(path), np.full((120, 120, 3), photo, np.uint8))
        return tmp_path

    return make


RED, DARK_RED, GREEN, BLUE, GREY = (0, 0, 255), (5, 0, 200), (0, 255, 0), (255, 0, 0), (90, 90, 90)


def run(folder):
    model = Colours()
    return evaluate(folder, model, model)


def test_the_first_photo_is_enrolled_the_others_are_looked_for_and_singles_are_strangers(make_set):
    people = {"A": [RED, DARK_RED], "B": [GREEN, GREEN, RED]}
    result = run(make_set(people | {f"C{n}": [BLUE] for n in range(10)}))
    assert (result.gallery, result.mated, result.nonmated) == (2, 3, 10)
    assert result.failures_to_acquire == 0
    assert result.rank1.value == pytest.approx(2 / 3)  # B's red photo is taken for A
    point = result.tpir_at_fpir[0.1]
    assert point.tpir == pytest.approx(2 / 3)
    assert point.as_another.value == pytest.approx(1 / 3)  # and alerts as A
    assert (result.model_name, result.model_sha256) == ("colours", "c0ffee")


def test_failures_are_misses_and_named(make_set):
    people = {"A": [RED, RED, b"\xff\xd8 no"], "B": [BLACK, GREEN], "C": [BLUE, b""], "D": [GREY]}
    result = run(make_set(people))
    assert result.unreadable == ("images/A/A_0003.png", "images/C/C_0002.png")
    assert result.failures_to_acquire == 3
    assert (result.gallery, result.mated, result.nonmated) == (3, 4, 1)
    assert result.rank1.value == 1 / 4  # B's enrolment failed, so nobody finds B


def test_if_every_enrolment_fails_nobody_is_found(make_set):
    people = {"A": [BLACK, RED], "B": [BLACK, GREEN]}
    result = run(make_set(people | {f"C{n}": [BLUE] for n in range(10)}))
    assert result.rank1.value == 0
    assert result.tpir_at_fpir[0.1].tpir == 0


@pytest.mark.parametrize(
    ("strangers", "supported"), [(1, set()), (50, {"0.1"}), (100, {"0.1", "0.01"})]
)
def test_figures_without_enough_strangers_are_null_with_the_reason(make_set, strangers, supported):
    people = {f"C{n:03}": [(n, 255 - n, 90)] for n in range(strangers)}
    answer = run(make_set({"A": [RED, RED]} | people)).as_json()["tpir_at_fpir"]
    assert set(answer) == {"0.1", "0.01", "0.001"}
    for fpir, point in answer.items():
        if fpir in supported:
            assert None not in [point[key] for key in ("tpir", "threshold", "low", "high")]
        else:
            assert {value for key, value in point.items() if key != "reason"} == {None}
            assert f"{strangers} strangers are too few for FPIR {fpir}" in point["reason"]


@pytest.mark.parametrize("others", [0, 20])
def test_the_score_is_the_cosine_whatever_the_other_entries(make_set, others):
    listed = {f"B{n:02}": [(0, 255 - n, n)] * 2 for n in range(others)}
    strangers = {f"C{n}": [(255, 0, 64)] for n in range(10)}
    point = run(make_set({"A": [RED, RED]} | listed | strangers)).tpir_at_fpir[0.1]
    assert point.threshold == pytest.approx(64 / np.hypot(255, 64), abs=1e-4)


def test_json_has_the_documented_keys(make_set):
    answer = run(make_set({"A": [RED, RED], "B": [GREEN]})).as_json()
    documented = {"gallery", "mated", "nonmated", "failures_to_acquire", "rank1", "tpir_at_fpir"}
    assert documented <= set(answer)
    assert set(answer["tpir_at_fpir"]) == {"0.1", "0.01", "0.001"}
    assert {"tpir", "threshold", "low", "high"} <= set(answer["tpir_at_fpir"]["0.01"])
    assert answer["rank1"] == 1.0


def test_without_strangers_there_is_no_operating_point(make_set):
    assert run(make_set({"A": [RED, RED]})).tpir_at_fpir == {}


def test_the_data_hash_follows_the_content(make_set):
    folder = make_set({"A": [RED, RED], "B": [GREEN]})
    before = run(folder).data_sha256
    assert run(folder).data_sha256 == before
    cv2.imwrite(str(folder / "images/B/B_0001.png"), np.full((120, 120, 3), BLUE, np.uint8))
    assert run(folder).data_sha256 != before


def test_progress_reaches_the_total(make_set):
    model, seen = Colours(), []
    people = {f"P{n:02}": [RED] for n in range(40)} | {"Z": [GREEN, GREEN]}
    evaluate(make_set(people), model, model, progress=lambda *at: seen.append(at))
    assert seen == [(0, 42), (32, 42), (42, 42)]


@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        ({}, "is no set of faces: the folder"),
        ({"A": []}, "contains no photos"),
        ({"A": [RED], "B": [GREEN]}, "no person with two photos"),
    ],
)
def test_a_folder_that_is_no_test_set_is_bad_input(make_set, people, sentence):
    with pytest.raises(BadInput, match=sentence):
        run(make_set(people))


def test_the_most_central_face_counts():
    near, far = face_at(70, 60), face_at(200, 60, score=0.99)
    assert most_central([far, near], 120, 120) is near
    assert most_central([], 120, 120) is None


def test_a_name_in_two_spellings_is_refused_and_hidden_files_are_no_photos(make_set):
    folder = make_set({"Jos\u00e9": [RED, RED], ".trash": [GREEN]})
    (folder / "images" / "Jos\u00e9" / "._1.jpg").write_bytes(b"of a Mac")
    found = run(folder)
    assert (found.mated, found.nonmated, found.failures_to_acquire) == (1, 0, 0)
    make_set({"Jose\u0301": [BLUE]})
    with pytest.raises(BadInput, match="two folders have spellings of this name"):
        run(folder)


def test_unrepresentable_names_and_non_files_are_counted(make_set, tmp_path):
    folder = make_set({"a": [RED, RED], "b": [GREEN]})
    os.mkfifo(folder / "images" / "a" / "pipe.jpg")
    (folder / "images" / "b" / "zero.jpg").symlink_to("/dev/zero")
    (folder / "images" / "\udcff").mkdir()
    (folder / "images" / "\udcff" / "1.png").write_bytes(b"")
    assert sorted(run(folder).unreadable) == [
        "images/a/pipe.jpg", "images/b/zero.jpg", "images/\udcff/1.png"
    ]  # fmt: skip
