"""The alerted face is visible with its margin; other faces are masked."""

import numpy as np
import pytest

from openlfr.domain.evidence import FacePicture
from openlfr.domain.faces import Box, Detection
from openlfr.stages.mask import is_hidden, mask, mask_photo, overlap_share
from openlfr.stages.obscure import FACE_CELLS, clip_to_pixels, cut_picture, enlarge, mosaic, shrink
from openlfr.stages.overlooked import PossibleFace, find_overlooked

FACE = Box(600, 300, 80, 100)
NOBODY = np.zeros((5, 2), np.float32)


def noise() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 128, (720, 1280, 3), np.uint8)


def held(image: np.ndarray, *others: Box, face: Box = FACE) -> FacePicture:
    return cut_picture(image, shrink(image), face, others)


class Finds:
    """A detector that finds a face in every picture of one size, or in none."""

    def __init__(self, box: Box | None = None, shape: tuple[int, ...] = ()) -> None:
        self.box, self.shape = box, shape

    def detect_again(self, images):
        return [
            [Detection(self.box, NOBODY, 0.9)] if self.box and image.shape[:2] == self.shape else []
            for image in images
        ]


def kept_of(picture, detector):
    return mask(picture, find_overlooked(picture, detector))


def test_a_quarter_of_the_box_is_visible_on_each_side() -> None:
    image = noise()
    kept = kept_of(held(image), Finds())
    assert kept.box == Box(580, 275, 120, 150)
    assert np.array_equal(kept.face, image[275:425, 580:700])


@pytest.mark.parametrize(
    "other",
    [
        Box(670, 290, 90, 120),  # over the alerted box's right side
        Box(700, 300, 80, 100),  # beside it: its own quarter reaches into the margin
        Box(560, 380, 300, 90),  # from below, wider than it
        Box(590, 200, 90, 80),  # above
        Box(715, 310, 70, 90),
    ],
)
def test_cells_are_displayed_where_another_face_or_its_margin_overlaps(other: Box) -> None:
    image = noise()
    x, y, right, bottom = clip_to_pixels(enlarge(other), 1280, 720)
    image[y:bottom:2, x:right] = 255  # a pattern that only the other has
    kept = kept_of(held(image, other), Finds())
    assert not (kept.face == 255).any()
    assert not (kept.scene.small == 255).any()
    left, top, _, _ = (int(value) for value in kept.box)
    reached = np.zeros(image.shape[:2], bool)
    reached[y:bottom, x:right] = True
    reached = reached[top : top + kept.face.shape[0], left : left + kept.face.shape[1]]
    assert reached.any()
    assert np.array_equal(kept.face[reached], mosaic(kept.scene, kept.box)[reached])
    shown = image[top : top + kept.face.shape[0], left : left + kept.face.shape[1]]
    assert np.array_equal(kept.face[~reached], shown[~reached])


@pytest.mark.parametrize(
    ("others", "shown"),
    [
        ((), True),
        ((Box(590, 290, 100, 120),), False),  # in front of it
        ((Box(620, 320, 40, 60),), False),  # a smaller one amid it, margin and all
        ((Box(650, 300, 80, 100),), False),  # its quarter leaves less than half
        ((Box(665, 300, 80, 100),), True),
        ((Box(540, 300, 50, 100), Box(690, 300, 50, 100)), True),
    ],
)
def test_where_less_than_half_is_free_there_is_no_picture(others, shown) -> None:
    assert (kept_of(held(noise(), *others), Finds()) is not None) is shown
    assert not (shown and is_hidden(held(noise(), *others)))


@pytest.mark.parametrize(
    ("score", "near", "hides"),
    [(0.9, False, True), (0.6, False, True), (0.59, False, False), (0.3, True, True)],
)
def test_faces_found_in_the_second_search_are_masked_too(
    score: float, near: bool, hides: bool
) -> None:
    image = noise()
    kept = mask(held(image), [PossibleFace(Box(670, 305, 30, 100), score, near)])
    assert np.array_equal(kept.face[60, 100], image[335, 680]) is not hides
    assert np.array_equal(kept.face[60, 20], image[335, 600])


def test_a_detection_that_would_hide_the_whole_face_is_ignored() -> None:
    picture = held(noise())
    kept = mask(picture, [PossibleFace(Box(400, 100, 600, 600), 0.9)])
    assert np.array_equal(kept.face, noise()[275:425, 580:700])
    assert 600 / kept.scene.cell <= FACE_CELLS  # it may be one all the same


def test_a_large_face_found_in_the_second_search_enlarges_the_cells() -> None:
    picture = held(noise())
    turned = Finds(Box(0, 0, 90, 90), (180 + 160, 320 + 160))  # the shrunk frame and its margin
    kept, before = kept_of(picture, turned), kept_of(picture, Finds())
    assert 90 * picture.frame.shrink / kept.scene.cell <= FACE_CELLS
    assert before.scene.cell < kept.scene.cell


def test_a_second_detection_of_the_alerted_face_hides_nothing() -> None:
    again = [Box(605, 290, 70, 120), Box(590, 300, 110, 110)]

    class Sees(Finds):
        def detect_again(self, images):
            x, y, w, h = again[0]
            small = [Detection(Box(x / 4 + 80, y / 4 + 80, w / 4, h / 4), NOBODY, 0.9)]
            return [small if image.shape[:2] == (340, 480) else [] for image in images]

    image = noise()
    kept = kept_of(held(image), Sees())
    assert np.array_equal(kept.face, image[275:425, 580:700])


def test_the_covered_share_of_a_face_is_computed() -> None:
    image = noise()
    assert overlap_share(held(image)) == 0
    assert overlap_share(held(image, Box(700, 300, 80, 100))) == 0  # its quarter ends at the box
    assert overlap_share(held(image, Box(680, 300, 80, 100))) == pytest.approx(0.25)
    assert overlap_share(held(image, FACE._replace(x=601))) == pytest.approx(1, abs=0.02)
    assert overlap_share(held(image, Box(-10, -10, 30, 40), face=Box(-5, -5, 30, 40))) == 1


def test_only_the_face_of_an_enrolled_photo_is_visible() -> None:
    image = noise()
    kept = mask_photo(held(image, Box(660, 300, 80, 100)))
    assert max(kept.scene.small.shape[:2]) <= FACE_CELLS
    assert np.array_equal(kept.face[:, :40], image[275:425, 580:620])
    assert mask_photo(held(image, Box(610, 300, 80, 100))) is None
