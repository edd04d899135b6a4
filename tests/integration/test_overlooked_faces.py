"""A face that the detector misses in a frame is found before the frame is stored."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openlfr.domain.faces import Box
from openlfr.stages.detect import input_size_for
from openlfr.stages.mask import mask
from openlfr.stages.obscure import FACE_CELLS, cut_picture, shrink
from openlfr.stages.overlooked import find_overlooked

WIDTH, HEIGHT = 1280, 720
PASSER_BY = Box(20, 560, 60, 75)
FACE = Box(172, 66, 106, 138)  # the astronaut's


def scene(astronaut: np.ndarray, share: float, degrees: float, cover: str) -> np.ndarray:
    """Return a frame with the astronaut's face in this share of its height, turned and covered."""
    image = astronaut.copy()
    x, y, w, h = (int(value) for value in FACE)
    halves = {
        "": (0, 0, 0, 0),
        "lower": (x - 10, y + h // 2, w + 20, h),
        "left": (x - 10, y - 10, w // 2 + 10, h + 20),
    }
    cv2.rectangle(image, halves[cover], (40, 60, 90), -1)
    scale = share * HEIGHT / h
    turn = cv2.getRotationMatrix2D(FACE.centre, degrees, scale)
    turn[:, 2] += np.array([760, 340]) - FACE.centre
    return cv2.warpAffine(image, turn, (WIDTH, HEIGHT), borderValue=(96, 104, 110))


CASES = [
    (0.45, -165, "left"), (0.45, -105, "left"), (0.6, -135, "left"), (0.6, -165, "left"),
    (0.6, 90, "lower"), (0.45, 180, ""),
]  # fmt: skip


@pytest.mark.parametrize(("share", "degrees", "cover"), CASES)
def test_a_turned_or_covered_face_is_masked_too(yunet, astronaut, share, degrees, cover):
    image = scene(astronaut, share, degrees, cover)
    held = cut_picture(image, shrink(image), PASSER_BY, [])
    kept = mask(held, find_overlooked(held, yunet))
    assert share * HEIGHT / kept.scene.cell <= FACE_CELLS
    centres = [glimpse.box.centre for glimpse in find_overlooked(held, yunet)]
    assert min(np.hypot(x - 760, y - 340) for x, y in centres) < 120


def test_the_detector_alone_misses_most_of_these_faces(yunet, astronaut):
    size = input_size_for(WIDTH, HEIGHT, None)
    found = [yunet.detect([scene(astronaut, *case)], size)[0] for case in CASES]
    near = [[d for d in those if abs(d.box.centre[0] - 760) < 120] for those in found]
    assert sum(not those for those in near) >= 4
