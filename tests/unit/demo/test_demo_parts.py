"""The demonstration wipes nothing of others, and compares fairly."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from filelock import FileLock
from tests.sightings import sighting_of

from openlfr.demo.compare import compare
from openlfr.demo.faces import write_packaged_faces
from openlfr.demo.folder import MARKER, prepare_folder
from openlfr.domain.alerts import AlertEvent, EventKind
from openlfr.domain.errors import Misconfigured
from openlfr.domain.faces import Box, Detection

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_s_own_folder_is_recreated(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    prepare_folder(out)
    (out / "data").mkdir()
    (out / "data" / "old").write_text("old")
    (out / "report.html").write_text("old")
    prepare_folder(out)
    assert [p.name for p in out.iterdir()] == [MARKER]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    prepare_folder(tmp_path)
    assert (tmp_path / MARKER).is_file()


def test_a_folder_with_other_files_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Misconfigured, match="so it was not"):
        prepare_folder(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_target_of_a_link_is_not_erased(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "thesis.txt").write_text("years of work")
    prepare_folder(tmp_path / "demo")
    (tmp_path / "demo" / "link").symlink_to(tmp_path / "real")
    prepare_folder(tmp_path / "demo")
    assert (tmp_path / "real" / "thesis.txt").exists()
    assert not (tmp_path / "demo" / "link").exists()


def test_a_file_or_a_link_is_refused_as_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="is a link or a file"):
        prepare_folder(tmp_path / "file")


def test_a_run_at_work_is_not_cut_off(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    prepare_folder(out)
    (out / "data").mkdir()
    with (
        FileLock(out / "data" / "run.lock"),
        pytest.raises(Misconfigured, match="a run is active"),
    ):
        prepare_folder(out)


class KnowsTheSamples:
    """Stands in for the detector: the boxes that YuNet gives for the two pictures."""

    def detect(self, images, input_size):
        boxes = {
            512: [(178, 63, 90, 113)],
            886: [(466, 266, 102, 145), (749, 352, 99, 123), (1126, 273, 95, 124),
                  (906, 58, 99, 144), (61, 268, 107, 129), (267, 151, 105, 127)],
        }[images[0].shape[0]]  # fmt: skip
        return [[Detection(Box(*box), np.zeros((5, 2), np.float32), 0.9) for box in boxes]]


@pytest.mark.parametrize(
    ("only_astronaut", "listed"),
    [(False, {"astronaut", "player-3", "player-6"}), (True, {"astronaut"})],
)
def test_people_who_can_be_listed_have_two_different_photos(
    tmp_path: Path, only_astronaut: bool, listed: set[str]
) -> None:
    write_packaged_faces(tmp_path / "f", KnowsTheSamples(), only_astronaut=only_astronaut)
    people = {p.name: sorted(p.iterdir()) for p in (tmp_path / "f").iterdir()}
    assert len(people) == 7
    assert {name for name, photos in people.items() if len(photos) == 2} == listed
    enrolled, walking = (cv2.imread(str(p)) for p in people["astronaut"])
    assert enrolled.shape == walking.shape == (320, 320, 3)
    assert np.abs(enrolled.astype(int) - walking.astype(int)).mean() > 10


def event(subject: str, n: int, box: Box) -> AlertEvent:
    sighting = sighting_of(
        "Market", "gate", 1, n, subject, "default", "r", datetime(2026, 1, 1, tzinfo=UTC), box,
        0.6, 0.4, 50.0,
    )  # fmt: skip
    return AlertEvent(EventKind.OPENED, f"{subject}{n}", "a", sighting)


FACE, ELSEWHERE = Box(10, 10, 50, 50), Box(300, 10, 50, 50)


@pytest.mark.parametrize(
    ("events", "found", "wrong"),
    [
        ([], 0, 0),
        ([("Ann", 3, FACE)], 1, 0),
        ([("Ann", 3, FACE), ("Ann", 4, FACE)], 1, 0),  # one pass, however often
        ([("Ann", 3, ELSEWHERE)], 0, 1),  # the right name at another face
        ([("Bob", 3, FACE)], 0, 1),  # another name at her face
        ([("Ann", 7, FACE)], 0, 1),  # nobody is there in frame 7
        ([("Eve", 5, FACE)], 0, 1),  # a stranger is never right
    ],
)
def test_an_alert_at_the_position_of_the_listed_person_is_correct(
    tmp_path: Path, events: list[tuple[str, int, Box]], found: int, wrong: int
) -> None:
    def face(track: int, person: str, watch: bool) -> dict[str, object]:
        return {"track": track, "id": person, "watch": watch, "box": list(FACE)}

    frames = {3: [face(0, "Ann", True)], 4: [face(0, "Ann", True)], 5: [face(1, "Eve", False)]}
    lines = [json.dumps({"n": n, "faces": faces}) for n, faces in frames.items()]
    (tmp_path / "frames.jsonl").write_text("\n".join(lines))
    track = {"first": 3, "last": 4, "max_px": 53.5}
    tracks = [
        track | {"track": 0, "id": "Ann", "watch": True, "eligible": [3, 4, 5]},
        track | {"track": 1, "id": "Eve", "watch": False, "eligible": [5, 6, 7]},
        track | {"track": 2, "id": "Ann", "watch": True, "eligible": [9]},  # never a fair chance
    ]
    (tmp_path / "tracks.json").write_text(json.dumps({"tracks": tracks}))
    truth = compare({"gate": tmp_path}, [(event(*e), (e[1],)) for e in events])
    assert (truth.passes, truth.found, truth.strangers, truth.wrong) == (1, found, 1, wrong)
    missed = "Ann was not found at gate, frames 3 to 4 (a face of 54 pixels at most)"
    assert truth.missed == (() if found else (missed,))
