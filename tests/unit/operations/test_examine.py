"""The photos that can be enrolled, and the choice of the face."""

import cv2
import numpy as np
import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box, Detection
from openlfr.operations.examine import EnrolmentRules, choose_face, examine, find_faces

RULES = EnrolmentRules()


def face(x, y, side):
    """A face whose box has its centre at (x, y)."""
    box = Box(x - side / 2, y - side / 2, side, side)
    return Detection(box, np.zeros((5, 2), np.float32), 0.9)


@pytest.mark.parametrize(
    "others",
    [[], [face(150, 100, 30)], [face(160, 100, 40)], [face(20, 20, 90)]],
    ids=["alone", "smaller beside", "as large but aside", "larger in a corner"],
)
def test_takes_the_face_nearest_the_middle(tmp_path, others):
    central = face(100, 100, 50)
    chosen, rest = choose_face([*others, central], 200, 200, tmp_path)
    assert chosen is central
    assert rest == others


@pytest.mark.parametrize(
    "pair",
    [
        [face(70, 100, 50), face(130, 100, 50)],
        [face(100, 100, 50), face(140, 100, 45)],
        [face(100, 100, 20), face(130, 110, 100)],
    ],
    ids=["side by side", "one a little aside", "a larger one behind a small central one"],
)
def test_refuses_two_that_are_equally_large_and_central(tmp_path, pair):
    with pytest.raises(BadInput, match="2 faces are equally large and central"):
        choose_face(pair, 200, 200, tmp_path)


@pytest.mark.parametrize("size", [128, 250, 512, 2000])
def test_finds_the_face_of_a_portrait_of_any_size(yunet, astronaut, size):
    portrait = cv2.resize(astronaut[0:256, 96:352], (size, size))
    assert len(find_faces(portrait, yunet)) == 1


def test_finds_a_face_that_fills_the_picture(yunet, astronaut):
    (found,) = find_faces(astronaut, yunet)
    x, y, w, h = (int(v) for v in found.box)
    (filled,) = find_faces(cv2.resize(astronaut[y : y + h, x : x + w], (600, 800)), yunet)
    assert filled.box.iou(Box(0, 0, 600, 800)) > 0.6


def test_finds_a_small_face_in_a_large_picture(yunet, astronaut):
    street = np.full((2400, 3200, 3), 90, np.uint8)
    street[1000:1256, 1500:1756] = cv2.resize(astronaut[0:256, 96:352], (256, 256))
    assert len(find_faces(street, yunet)) == 1


def test_the_template_of_a_good_photo_matches_the_person(yunet, sface, astronaut, save):
    first = examine(save(astronaut), yunet, sface, RULES)
    smaller = cv2.resize(astronaut[:300, 80:380], (220, 220), interpolation=cv2.INTER_AREA)
    second = examine(save(smaller, "other.jpg"), yunet, sface, RULES)
    assert float(first.template @ second.template) > 0.8
    assert first.warnings == ()


def test_warns_of_others_in_the_picture(yunet, sface, one_among_others, save):
    examined = examine(save(one_among_others), yunet, sface, RULES)
    assert any("the face nearest the middle was chosen" in w for w in examined.warnings)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda a: np.full_like(a, 128), "no face was found"),
        (lambda a: cv2.resize(a, (160, 160)), "too small, .* pixels between the eyes; 24"),
        (lambda a: cv2.GaussianBlur(a, (0, 0), 9), "not sharp"),
        (lambda a: np.clip(a * 2.6, 0, 255).astype(np.uint8), "badly exposed"),
        (lambda a: np.hstack([a[:, 60:392], a[:, 60:392]]), "equally large and central"),
    ],
    ids=["no face", "too small", "blurred", "overexposed", "two alike"],
)
def test_refuses_a_poor_photo_with_reason_and_file(yunet, sface, astronaut, save, spoil, says):
    path = save(spoil(astronaut))
    with pytest.raises(BadInput, match=rf"photo\.png: .*{says}"):
        examine(path, yunet, sface, RULES)


def test_refuses_a_photo_below_the_set_quality(yunet, sface, astronaut, save):
    with pytest.raises(BadInput, match="of poor quality"):
        examine(save(astronaut), yunet, sface, EnrolmentRules(min_quality=99))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda jpeg: jpeg[: len(jpeg) // 2], "breaks off"),
        (lambda _: b"", "is empty"),
        (lambda _: b"not a picture", "is not a readable picture"),
        (lambda jpeg: jpeg[:40] + jpeg[-40:], "is not a readable picture|breaks off|is broken"),
    ],
    ids=["truncated", "zero bytes", "text", "corrupt"],
)
def test_refuses_a_file_that_is_no_whole_picture(yunet, sface, astronaut, save, content, says):
    path = save(astronaut, "photo.jpg")
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(BadInput, match=rf"photo\.jpg ({says})"):
        examine(path, yunet, sface, RULES)
