"""Search a picture again for overlooked faces, before the picture is stored.

On each frame the detector runs once, upright and at one size, since more runs would be too slow. So
the detector overlooks turned and half covered faces. Before a picture is stored, the same detector
runs on the shrunk frame and on the face's surroundings: in eight turns, with a margin and at a
lower confidence, since a false detection only hides more. This second search is made for sightings
only.
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
"""Degrees by which the frame is turned; the detector tolerates about 30 in each direction."""

SURROUND = 0.25
"""Margin around the picture, as a share of its longer side, for faces at the picture's edge."""

ENLARGEMENT = 1.25
"""Factor by which a detected box is enlarged, since boxes of half covered faces were only 0.72 to
0.8 times as long as the face. `stages.obscure.BOX_MARGIN` is applied in addition."""

_MAX_DISTANCE = 0.35
"""Maximum distance of the centres of two boxes of the same face, as a share of the face's size."""

_MAX_RATIO = 2.0
"""Maximum ratio of the sizes of two boxes of the same face."""


class PossibleFace(NamedTuple):
    """A detection of the second search; at its low confidence, many detections are no faces.

    Attributes:
        box: Box in source pixels.
        score: The detector's confidence, 0 to 1.
        is_near: Whether the detection was made at source resolution, around the picture's face.
    """

    box: Box
    score: float
    is_near: bool = False


def find_overlooked(picture: FacePicture, detector: FaceDetector) -> list[PossibleFace]:
    """Return the possible faces in a track's picture, without the known faces.

    Two pictures are searched: the shrunk frame, and the surroundings of the face at source
    resolution. The surroundings are shown in clear, and may contain a face that is too small to be
    detected in the shrunk frame.
    """
    factor = picture.frame.shrink
    far = _search(picture.frame.pixels, detector, TURNS)
    near = _search(picture.near, detector, TURNS)
    faces = [PossibleFace(Box(*(value * factor for value in box)), score) for box, score, _ in far]
    for (x, y, w, h), score, _ in near:
        box = Box(x + picture.around.x, y + picture.around.y, w, h)
        faces.append(PossibleFace(box, score, is_near=True))
    known = (picture.box, *picture.others)
    return [each for each in faces if not any(is_same_face(each.box, face) for face in known)]


def _search(
    image: NDArray[np.uint8], detector: FaceDetector, turns: Sequence[float]
) -> list[PossibleFace]:
    """Return possible faces in the picture's pixels; each box is an enlarged upright square."""
    views = [_turn(image, degrees) for degrees in turns]
    by_view = detector.detect_again([picture for picture, _ in views])
    faces = []
    for (_, inverse), detections in zip(views, by_view, strict=True):
        for detection in detections:
            x, y = inverse @ (*detection.box.centre, 1.0)
            side = max(detection.box.w, detection.box.h) * ENLARGEMENT
            box = Box(float(x) - side / 2, float(y) - side / 2, side, side)
            faces.append(PossibleFace(box, detection.score))
    return faces


def _turn(
    image: NDArray[np.uint8], degrees: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the whole picture, turned and with a margin, and the inverse transform (2, 3)."""
    height, width = image.shape[:2]
    margin = SURROUND * max(height, width)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    across = math.ceil(width * cos + height * sin + 2 * margin)
    down = math.ceil(width * sin + height * cos + 2 * margin)
    matrix[:, 2] += (across - width) / 2, (down - height) / 2
    turned = cv2.warpAffine(image, matrix, (across, down))
    return np.asarray(turned, np.uint8), np.asarray(cv2.invertAffineTransform(matrix))


def is_same_face(box: Box, face: Box) -> bool:
    """Return whether a box is probably a box of a known face."""
    (x, y), (face_x, face_y) = box.centre, face.centre
    size, face_size = max(box.w, box.h), max(face.w, face.h)
    is_close = math.hypot(x - face_x, y - face_y) <= _MAX_DISTANCE * face_size
    return is_close and face_size / _MAX_RATIO <= size <= face_size * _MAX_RATIO
