"""Search a picture again for faces that the detector overlooked, before any of it is kept.

In each frame the detector runs once, upright and at one size, since more is too slow for cameras.
It overlooks turned and half covered faces. Before a picture is kept, the same detector runs on the
shrunk frame in eight turns, with a margin and at a lower confidence, since a false face costs only
some cells. This is computed for sightings only.
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

    from openlfr.domain.evidence import FacePicture
    from openlfr.ports import FaceDetector

TURNS = (0, 45, -45, 90, -90, 135, -135, 180)
"""Degrees by which the frame is turned; the detector tolerates some 30 either way."""

SURROUND = 0.25
"""Margin around the picture, as a share of its longer side, for faces that the edge cuts."""

COVERED = 1.25
"""Factor by which a found box is enlarged. The boxes of half covered faces were 0.72 to 0.8 as long
as the face (`stages.obscure.BOX_MARGIN` comes on top)."""

_SAME = 0.35
"""A found face is a known one if its centre is within this share of the known face's size, ..."""

_AS_LARGE = 2.0
"""... and its size differs at most by this factor."""


class PossibleFace(NamedTuple):
    """A detection of the second search, at a confidence at which many are no faces.

    Attributes:
        box: Box in source pixels.
        score: The detector's confidence, 0 to 1.
        near: Whether it was found at source resolution, around the picture's face.
    """

    box: Box
    score: float
    near: bool = False


def find_overlooked(picture: FacePicture, detector: FaceDetector) -> list[PossibleFace]:
    """Possible faces in a track's picture, other than its known faces.

    The shrunk frame is searched, and at source resolution the surroundings of its face: they
    are kept in clear, and may contain a face that is too small to be found in the shrunk frame.
    """
    by = picture.frame.shrink
    far = _search(picture.frame.pixels, detector, TURNS)
    near = _search(picture.near, detector, TURNS)
    found = [PossibleFace(Box(*(value * by for value in box)), score) for box, score, _ in far]
    for (x, y, w, h), score, _ in near:
        box = Box(x + picture.around.x, y + picture.around.y, w, h)
        found.append(PossibleFace(box, score, near=True))
    known = (picture.box, *picture.others)
    return [each for each in found if not any(is_same(each.box, face) for face in known)]


def _search(
    image: NDArray[np.uint8], detector: FaceDetector, turns: Sequence[float]
) -> list[PossibleFace]:
    """Possible faces in the picture's pixels; each box is a square around the face's centre."""
    views = [_turned(image, degrees) for degrees in turns]
    answers = detector.detect_again([picture for picture, _ in views])
    faces = []
    for (_, back), found in zip(views, answers, strict=True):
        for detection in found:
            x, y = back @ (*detection.box.centre, 1.0)
            side = max(detection.box.w, detection.box.h) * COVERED
            box = Box(float(x) - side / 2, float(y) - side / 2, side, side)
            faces.append(PossibleFace(box, detection.score))
    return faces


def _turned(
    image: NDArray[np.uint8], degrees: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The whole picture, turned and with a margin, and the inverse transform (2, 3)."""
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
    """Whether a found box is that of a known face."""
    (x, y), (face_x, face_y) = box.centre, face.centre
    size, face_size = max(box.w, box.h), max(face.w, face.h)
    near = math.hypot(x - face_x, y - face_y) <= _SAME * face_size
    return near and face_size / _AS_LARGE <= size <= face_size * _AS_LARGE
