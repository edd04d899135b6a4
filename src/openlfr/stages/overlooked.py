"""Search a picture again for the faces that the detector overlooked, before any of it is kept.

The detector looks at each frame once, upright and at one size, which is what cameras can be
followed with. It overlooks faces that are turned or half covered. Here the same detector looks at
the shrunk frame turned and with a margin, and takes less for a face: a false one costs some cells.
Only sightings pay for it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from openlfr.domain.faces import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.evidence import HeldPicture
    from openlfr.ports import FaceDetector

TURNS = (0, 45, -45, 90, -90, 135, -135, 180)
"""Degrees by which the frame is turned; the detector itself bears some 30 either way."""

SURROUND = 0.25
"""Margin around the picture, a share of its longer side, for faces that reach out of it."""

COVERED = 1.25
"""By how much larger than what was found a face is taken for. Of a face whose half is covered the
boxes were 0.72 to 0.8 as long as the face (`stages.obscure.BOX_MARGIN` comes on top)."""

_SAME = 0.35
"""A face whose centre lies within this share of a known face's size from its centre, ..."""

_AS_LARGE = 2.0
"""... and which is at most so many times larger or smaller, is the known one seen again."""


class Glimpse(NamedTuple):
    """What may be a face.

    Attributes:
        box: In source pixels.
        score: How sure the detector is, 0 to 1.
        near: Seen at source resolution, around the held face.
    """

    box: Box
    score: float
    near: bool = False


def overlooked(held: HeldPicture, detector: FaceDetector) -> list[Glimpse]:
    """What may be faces other than those that are known.

    The shrunk frame is searched, and at its own resolution what lies around the held face: there
    a face would be kept in clear that is too small for the shrunk frame.
    """
    by = held.frame.shrink
    far = _search(held.frame.pixels, detector, TURNS)
    near = _search(held.near, detector, TURNS)
    found = [Glimpse(Box(*(value * by for value in box)), score) for box, score, _ in far]
    for (x, y, w, h), score, _ in near:
        box = Box(x + held.around.x, y + held.around.y, w, h)
        found.append(Glimpse(box, score, near=True))
    known = (held.box, *held.others)
    return [each for each in found if not any(is_same(each.box, face) for face in known)]


def _search(
    image: NDArray[np.uint8], detector: FaceDetector, turns: Sequence[float]
) -> list[Glimpse]:
    """Boxes in the picture's pixels; that of a turned face is the square around its centre."""
    views = [_turned(image, degrees) for degrees in turns]
    answers = detector.detect_again([picture for picture, _ in views])
    glimpses = []
    for (_, back), found in zip(views, answers, strict=True):
        for detection in found:
            x, y = back @ (*detection.box.centre, 1.0)
            side = max(detection.box.w, detection.box.h) * COVERED
            box = Box(float(x) - side / 2, float(y) - side / 2, side, side)
            glimpses.append(Glimpse(box, detection.score))
    return glimpses


def _turned(
    image: NDArray[np.uint8], degrees: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The picture turned about its middle, whole and with a margin, and the way back (2, 3)."""
    height, width = image.shape[:2]
    margin = SURROUND * max(height, width)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    across = math.ceil(width * cos + height * sin + 2 * margin)
    down = math.ceil(width * sin + height * cos + 2 * margin)
    matrix[:, 2] += (across - width) / 2, (down - height) / 2
    turned = cv2.warpAffine(image, matrix, (across, down))
    return np.asarray(turned, np.uint8), np.asarray(cv2.invertAffineTransform(matrix))


def is_same(box: Box, face: Box) -> bool:
    """Whether a box is that of a known face, seen again."""
    (x, y), (face_x, face_y) = box.centre, face.centre
    size, face_size = max(box.w, box.h), max(face.w, face.h)
    near = math.hypot(x - face_x, y - face_y) <= _SAME * face_size
    return near and face_size / _AS_LARGE <= size <= face_size * _AS_LARGE
