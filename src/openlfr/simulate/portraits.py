"""Cuts heads from photos, to be drawn at any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box
from openlfr.files import MAX_PICTURE_BYTES, read_file
from openlfr.stages.decode import decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from openlfr.ports import FaceDetector

    Pixels = NDArray[np.uint8]

# Labeled Faces in the Wild: each 250x250 photo is the square of a detected face, enlarged 2.2 times
# (Huang et al., UMass Amherst TR 07-49, section 2). So the face is the middle 113.6 pixels.
_LFW_SIDE, _LFW_FACE = 250, Box(68.2, 68.2, 113.6, 113.6)
# YuNet's boxes on 300 of these photos: the square's side is 1.07 times the root of the box's area
# (median), and the box's centre is 0.03 of a side lower than the square's centre.
_SIDE_OF_ROOT_AREA, _CENTRE_SHIFT = 1.07, 0.03
_DETECTOR_SIZE = (640, 640)

# The head around the face, in face sides from the face's centre: hair, ears and chin.
HALF_WIDTH, TOP, BOTTOM = 0.66, 0.92, 0.74
ELLIPSE = (0.57, 0.75)  # half axes of the part that is drawn
_FEATHER = 0.045  # standard deviation of the drawn part's soft edge, in face sides
_MAX_SIDE, _MIN_SIDE = 160, 20  # face sides of the levels, pixels


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A head in several sizes.

    Attributes:
        sides: Face side at each level, pixels, largest first; each level is half as large as the
            level before.
        levels: (h, w, 4) uint8 each, BGR premultiplied with alpha, and alpha. The face's centre
            is at (`HALF_WIDTH`, `TOP`), in face sides.
        skin: (3,) median BGR of the face, 0 to 255, for the neck.
    """

    sides: tuple[float, ...]
    levels: tuple[Pixels, ...]
    skin: tuple[float, float, float]

    def choose_level(self, px: float) -> tuple[Pixels, float]:
        """Return the smallest level that is large enough for a face of `px` pixels, with its side.

        So a level is shrunk by less than half, which is safe for bilinear sampling. If no level is
        large enough, the largest level is returned.
        """
        fit = max((i for i, side in enumerate(self.sides) if side >= px), default=0)
        return self.levels[fit], self.sides[fit]


def read_photo(path: Path) -> Pixels:
    """Read a photo as (h, w, 3) uint8 BGR.

    Raises:
        BadInput: The file is no readable picture.
    """
    return decode(read_file(path, max_bytes=MAX_PICTURE_BYTES), str(path))


def find_face(image: Pixels, detector: Callable[[], FaceDetector]) -> Box:
    """Return the square of the face in a photo: fixed for LFW's format, otherwise detected.

    Args:
        image: (h, w, 3) uint8 BGR.
        detector: Loads the detector; called only if needed.

    Raises:
        BadInput: No face was found.
    """
    height, width = image.shape[:2]
    if (height, width) == (_LFW_SIDE, _LFW_SIDE):
        return _LFW_FACE
    detections = detector().detect([image], _DETECTOR_SIZE)[0]
    if not detections:
        raise BadInput("no face was found in it")

    def prominence(box: Box) -> float:
        x, y = box.centre
        off_centre = np.hypot(x / width - 0.5, y / height - 0.5)
        return float(box.area * (1 - off_centre))

    box = max((d.box for d in detections), key=prominence)
    side = _SIDE_OF_ROOT_AREA * box.area**0.5
    x, y = box.centre
    return Box(x - side / 2, y - side * (0.5 + _CENTRE_SHIFT), side, side)


def cut_portrait(image: Pixels, face: Box, *, gain: float = 1.0) -> Portrait:
    """Cut the head around a face from a photo; beyond the photo, edge pixels are repeated.

    Args:
        image: (h, w, 3) uint8 BGR.
        face: Square of the face, pixels.
        gain: Brightness factor.
    """
    shrink = max(face.w / _MAX_SIDE, 1.0)
    side = face.w / shrink
    if shrink > 1:
        size = (round(image.shape[1] / shrink), round(image.shape[0] / shrink))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    centre_x, centre_y = (value / shrink for value in face.centre)
    head_w, head_h = round(2 * HALF_WIDTH * side), round((TOP + BOTTOM) * side)
    move = np.array([[1, 0, HALF_WIDTH * side - centre_x], [0, 1, TOP * side - centre_y]])
    head = cv2.warpAffine(image, move, (head_w, head_h), borderMode=cv2.BORDER_REPLICATE)
    alpha = np.zeros((head_h, head_w), np.float32)
    middle = ((HALF_WIDTH * side), (TOP + BOTTOM) / 2 * side)
    cv2.ellipse(alpha, (middle, (2 * ELLIPSE[0] * side, 2 * ELLIPSE[1] * side), 0), 1.0, -1)
    soft = cv2.GaussianBlur(alpha, (0, 0), _FEATHER * side, borderType=cv2.BORDER_CONSTANT)[
        ..., None
    ]
    colour = np.clip(head.astype(np.float32) * gain, 0, 255)
    rgba = np.dstack([colour * soft, soft * 255])
    sides, levels = [side], [np.rint(rgba).astype(np.uint8)]
    while sides[-1] / 2 >= _MIN_SIDE:
        rgba = cv2.resize(rgba, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        sides.append(sides[-1] / 2)
        levels.append(np.rint(rgba).astype(np.uint8))
    return Portrait(tuple(sides), tuple(levels), _measure_skin(colour, side))


def _measure_skin(head: NDArray[np.float32], side: float) -> tuple[float, float, float]:
    x, y, reach = HALF_WIDTH * side, TOP * side, 0.2 * side
    cheeks = head[int(y) : int(y + reach) + 1, int(x - reach) : int(x + reach) + 1]
    blue, green, red = np.median(cheeks.reshape(-1, 3), axis=0).tolist()
    return float(blue), float(green), float(red)
