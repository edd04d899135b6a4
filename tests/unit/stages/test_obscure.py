"""A retained frame shows each other face in a few cells only."""

from functools import cache

import numpy as np
import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box
from openlfr.stages.obscure import FACE_CELLS, cut_picture, mosaic, obscure, shrink

ALERTED = Box(300.4, 200.2, 90.0, 110.0)
SIZES = [(720, 1280), (480, 640), (719, 1279), (90, 61), (1280, 720), (2160, 3840), (1080, 1920)]


@cache
def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_each_cell_is_the_mean_of_its_square(height: int, width: int) -> None:
    image = noise(height, width)
    scene = obscure(shrink(image), [])
    c = scene.cell
    for row, column in [(0, 0), (1, 1)]:
        square = image[row * c : (row + 1) * c, column * c : (column + 1) * c]
        assert scene.small[row, column] == pytest.approx(square.mean((0, 1)), abs=2)
    assert scene.small.shape[:2] == (-(-height // c), -(-width // c))
    assert mosaic(scene).shape == image.shape


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_retained_frame_is_small_at_any_resolution(height: int, width: int) -> None:
    image = noise(height, width)
    held = shrink(image)
    assert min(held.pixels.shape[:2]) < 256
    assert not np.shares_memory(held.pixels, image)
    by = held.shrink
    assert held.pixels[0, 0] == pytest.approx(image[:by, :by].mean((0, 1)), abs=2)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_no_face_is_left_larger_than_the_most_cells(height: int, width: int) -> None:
    """Also faces that nobody has found, up to what the search may overlook."""
    frame = shrink(noise(height, width))
    for share in (0.02, 0.1, 0.2, 0.3, 0.5, 0.9, 1.2):
        face = share * min(height, width)
        assert face / obscure(frame, [Box(9, 5, face * 0.8, face), ALERTED]).cell <= FACE_CELLS
        assert face / obscure(frame, [Box(9, 5, face, face * 0.8)]).cell <= FACE_CELLS
        if share <= 0.3:
            assert face / obscure(frame, []).cell <= FACE_CELLS


def test_the_most_cells_are_four_at_most() -> None:
    assert FACE_CELLS <= 4


@pytest.mark.parametrize("box", [Box(-20, -10, 60, 60), Box(1250, 700, 60, 60), ALERTED])
def test_a_face_is_retained_with_a_margin_of_a_quarter_inside_the_picture(box: Box) -> None:
    image = noise(720, 1280)
    held = cut_picture(image, shrink(image), box, [box, Box(0, 0, 9, 9)])
    left, top, _, h = (int(value) for value in held.area)
    assert left == max(0, int(np.floor(box.x - box.w / 4)))
    assert top + h == min(720, int(np.ceil(box.y + box.h * 1.25)))
    x, y, width, height = (int(value) for value in held.around)
    assert np.array_equal(held.near, image[y : y + height, x : x + width])
    assert x == max(0, int(np.floor(box.x - box.w / 2)))
    assert x <= left
    assert y + height >= top + h
    assert held.near.base is None  # a view would keep the whole frame in memory
    assert held.others == (Box(0, 0, 9, 9),)


@pytest.mark.parametrize("box", [Box(200, 10, 20, 20), Box(130, 10, 60, 60)])
def test_a_box_outside_the_picture_is_bad_input(box: Box) -> None:
    image = noise(72, 128)
    with pytest.raises(BadInput, match="outside the 128 x 72 picture"):
        cut_picture(image, shrink(image), box, [])
