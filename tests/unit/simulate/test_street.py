"""A street is the same for the same seed, and its truth is true."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.simulate import StreetOptions, frame_number, make_street
from openlfr.simulate.journeys import plan_street
from openlfr.simulate.people import read_people
from openlfr.simulate.portraits import find_face, read_photo
from openlfr.simulate.street import Street

if TYPE_CHECKING:
    from pathlib import Path

SMALL = StreetOptions(
    seed=3, seconds=8, fps=5, width=640, height=360, people=10, watchlist=2, enrol=1, min_px=24,
    max_px=60, eligible_px=26, watch_share=0.5,
)  # fmt: skip


def no_detector():
    pytest.fail("photos in LFW's format need no detector")


def test_the_same_seed_gives_the_same_pixels(faces: Path, tmp_path: Path) -> None:
    made = [
        make_street(faces, tmp_path / name, SMALL, detector=no_detector).cameras[0]
        for name in ("a", "b")
    ]
    assert made[0].pixels_sha256 == made[1].pixels_sha256
    for name in ("video.mp4", "frames.jsonl", "tracks.json", "enrol.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_another_seed_gives_another_street(faces: Path) -> None:
    people = read_people(faces)
    assert plan_street(SMALL, people) != plan_street(
        StreetOptions(seed=4, watchlist=2, enrol=1), people
    )


def test_a_frame_can_be_made_alone(faces: Path) -> None:
    plan = plan_street(SMALL, read_people(faces))
    street = Street(SMALL, "street", plan.walks["street"], no_detector)
    in_order = list(street.shots())
    again = Street(SMALL, "street", plan.walks["street"], no_detector).shot(17)
    assert np.array_equal(in_order[17].image, again.image)
    assert in_order[17].faces == again.faces


def test_every_frame_shows_its_number_even_after_h264(faces: Path, tmp_path: Path) -> None:
    make_street(faces, tmp_path, SMALL, detector=no_detector)
    with av.open(str(tmp_path / "video.mp4")) as video:
        images = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    assert [frame_number.read_number(image) for image in images] == list(range(SMALL.frames))
    half = cv2.resize(images[7], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert frame_number.read_number(half, scale=0.5) == 7


def test_a_damaged_number_is_not_believed() -> None:
    image = np.zeros((16, 320, 3), np.uint8)
    frame_number.burn_number(image, 123456)
    assert frame_number.read_number(image) == 123456
    image[:, 8 * 20 : 8 * 21] = 255 - image[:, 8 * 20 : 8 * 21]
    assert frame_number.read_number(image) is None
    assert frame_number.read_number(image[:, :100]) is None


def test_the_boxes_contain_the_faces(faces: Path) -> None:
    """A face drawn in one colour fills its box with that colour, as far as it is visible."""
    options = StreetOptions(
        seed=3, seconds=8, fps=5, width=640, height=360, people=6, watchlist=2, enrol=1,
        min_px=40, max_px=70, eligible_px=40, noise=0, shutter=0,
    )  # fmt: skip
    plan = plan_street(options, read_people(faces))
    walks = {walk.track: walk for walk in plan.walks["street"]}
    street = Street(options, "street", plan.walks["street"], no_detector)
    checked = 0
    for shot in street.shots():
        for face in shot.faces:
            if not face.is_eligible(options) or face.visible < 0.98:
                continue
            walk = walks[face.track]
            colour = read_photo(walk.photo)[125, 125] * walk.gain * shot.light
            x, y, w, h = face.box
            inner = shot.image[round(y + h * 0.1) : round(y + h * 0.9),
                               round(x + w * 0.1) : round(x + w * 0.9)]  # fmt: skip
            hue = inner.reshape(-1, 3).astype(float)
            hue /= np.linalg.norm(hue, axis=1, keepdims=True)
            wanted = np.clip(colour, 0, 255) / np.linalg.norm(np.clip(colour, 0, 255))
            assert np.mean(hue @ wanted > 0.99) > 0.97, (shot.n, face)
            outside = shot.image[round(y + h / 2), max(round(x - w * 0.12), 0)].astype(float)
            assert outside @ wanted / max(np.linalg.norm(outside), 1) < 0.99, (shot.n, face)
            checked += 1
    assert checked > 20


def test_a_covered_face_is_marked_as_covered(faces: Path) -> None:
    options = StreetOptions(
        seed=5, seconds=8, fps=5, width=640, height=360, people=40, watchlist=2, enrol=1,
        min_px=40, max_px=80,
    )  # fmt: skip
    plan = plan_street(options, read_people(faces))
    street = Street(options, "street", plan.walks["street"], no_detector)
    seen = [face.visible for shot in street.shots() for face in shot.faces]
    assert min(seen) < 0.1
    assert max(seen) > 0.95
    assert all(0 <= share <= 1 for share in seen)


@pytest.mark.parametrize("cameras", [("one",), ("one", "two"), ("a", "b", "c")])
def test_nobody_is_in_two_places_at_once(faces: Path, cameras: tuple[str, ...]) -> None:
    options = StreetOptions(seed=9, people=80, watchlist=3, enrol=1, cameras=cameras)
    plan = plan_street(options, read_people(faces))
    passes = sorted(
        (walk.person, walk.start, walk.end) for walks in plan.walks.values() for walk in walks
    )
    assert {person for person, *_ in passes} == {f"P{i}" for i in range(6)}
    for (one, _, ended), (other, begun, _) in pairwise(passes):
        assert one != other or ended < begun


def test_references_never_walk(faces: Path, tmp_path: Path) -> None:
    make_street(faces, tmp_path, SMALL, detector=no_detector)
    tracks = json.loads((tmp_path / "tracks.json").read_text())["tracks"]
    enrolled = json.loads((tmp_path / "enrol.json").read_text())
    listed = {t["id"] for t in tracks if t["watch"]}
    assert listed
    assert listed <= set(enrolled)
    photos = {photo for paths in enrolled.values() for photo in paths}
    assert photos.isdisjoint(t["probe"] for t in tracks)


def test_too_few_photos_are_reported(faces: Path) -> None:
    with pytest.raises(Misconfigured, match="people with at least 4 photos"):
        plan_street(StreetOptions(watchlist=2, enrol=3), read_people(faces))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"width": 641}, "even"),
        ({"seconds": 0}, "--seconds must be between 1"),
        ({"min_px": 50, "max_px": 40}, "--max-px must be between 50"),
        ({"crf": 52}, "--crf"),
        ({"cameras": ()}, "at least one camera"),
        ({"cameras": ("a", "a")}, "all names must differ"),
    ],
)
def test_impossible_wishes_name_the_option(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        StreetOptions(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_folder_without_photos_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Misconfigured, match=folder):
        read_people(tmp_path / folder)


def test_a_photo_that_cannot_be_read_does_not_walk(faces: Path, tmp_path: Path) -> None:
    own = tmp_path / "faces"
    for person in "AB":
        (own / person).mkdir(parents=True)
        (own / person / "1.png").write_bytes((faces / "images/P0/0.png").read_bytes())
    (own / "A" / "1.png").write_bytes(b"no picture")
    options = StreetOptions(
        seconds=4, fps=5, width=320, height=240, people=4, watchlist=0, min_px=20, max_px=40
    )
    made = make_street(own, tmp_path / "out", options, detector=no_detector).cameras[0]
    assert made.problems
    assert all("A/1.png cannot be drawn" in problem for problem in made.problems)
    tracks = json.loads((tmp_path / "out/tracks.json").read_text())["tracks"]
    assert {t["id"] for t in tracks} == {"B"}


def test_a_photo_of_another_size_needs_a_face_to_be_found() -> None:
    class Blind:
        def detect(self, images, input_size):
            return [[] for _ in images]

    with pytest.raises(BadInput, match="no face"):
        find_face(np.zeros((300, 200, 3), np.uint8), Blind)
