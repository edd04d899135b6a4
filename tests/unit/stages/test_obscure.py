"""What is kept of a frame shows one face and nobody else."""

import numpy as np
import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box
from openlfr.stages.obscure import evidence_of, mosaic, obscure

ALERTED = Box(300.4, 200.2, 90.0, 110.0)
SIZES = [(720, 1280), (480, 640), (719, 1279), (90, 61), (1280, 720)]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_each_cell_is_the_mean_of_its_square(height: int, width: int) -> None:
    image = noise(height, width)
    scene = obscure(image, [])
    c = scene.cell
    for row, column in [(0, 0), (scene.small.shape[0] - 1, scene.small.shape[1] - 1)]:
        square = image[row * c : (row + 1) * c, column * c : (column + 1) * c]
        assert scene.small[row, column] == pytest.approx(square.mean((0, 1)), abs=2)
    assert mosaic(scene).shape == image.shape


@pytest.mark.parametrize("face", [10, 40, 120, 180, 300, 700])
def test_no_face_is_left_larger_than_eight_cells(face: int) -> None:
    """Also faces that the detector was not told of, up to a quarter of the frame's height."""
    image = noise(720, 1280)
    seen = obscure(image, [Box(100, 5, face * 0.8, face), ALERTED])
    assert face / seen.cell <= 8
    if face <= 180:
        assert face / obscure(image, []).cell <= 8


def test_outside_the_alerted_box_every_cell_is_one_colour() -> None:
    image = noise(720, 1280)
    evidence = evidence_of(image, obscure(image, [ALERTED]), ALERTED, [])
    kept = evidence.scene
    assert kept.small.nbytes < image.nbytes / kept.cell**2 * 1.1
    assert evidence.box == Box(300, 200, 91, 111)
    assert np.array_equal(evidence.face, image[200:311, 300:391])
    flat = mosaic(kept)
    for y in range(0, 720 - kept.cell, kept.cell):
        assert np.ptp(flat[y : y + kept.cell, : kept.cell], axis=(0, 1)).max() == 0


@pytest.mark.parametrize(
    ("other", "clear"),
    [
        (Box(380, 190, 60, 120), False),  # reaches into the alerted box from the right
        (Box(250, 290, 300, 90), False),  # from below, wider than it
        (Box(600, 100, 80, 80), False),  # apart
    ],
)
def test_another_face_stands_in_no_stored_array(other: Box, clear: bool) -> None:
    image = noise(720, 1280) // 4
    x, y, w, h = (int(v) for v in other)
    image[y : y + h : 2, x : x + w] = 255  # a pattern that only the other face has
    evidence = evidence_of(image, obscure(image, [ALERTED, other]), ALERTED, [other, ALERTED])
    assert (evidence.face == 255).any() is np.bool_(clear)
    assert (evidence.scene.small == 255).any() is np.bool_(clear)


def test_the_middle_of_the_alerted_face_is_never_covered() -> None:
    image = noise(720, 1280)
    face = Box(300, 200, 80, 100)
    evidence = evidence_of(image, obscure(image, [face]), face, [Box(290, 190, 120, 130)])
    assert np.array_equal(evidence.face[25:75, 20:60], image[225:275, 320:360])
    assert not np.array_equal(evidence.face[:25], image[200:225, 300:380])


@pytest.mark.parametrize("box", [Box(-20, -10, 60, 60), Box(1250, 700, 60, 60)])
def test_a_box_is_cut_to_the_picture(box: Box) -> None:
    image = noise(720, 1280)
    kept = evidence_of(image, obscure(image, [box]), box, [])
    assert kept.face.shape[:2] == (int(kept.box.h), int(kept.box.w))
    assert kept.box.x >= 0
    assert kept.box.x + kept.box.w <= 1280


def test_a_box_outside_the_picture_is_bad_input() -> None:
    image = noise(72, 128)
    with pytest.raises(BadInput, match="outside the 128 x 72 picture"):
        evidence_of(image, obscure(image, []), Box(200, 10, 20, 20), [])
