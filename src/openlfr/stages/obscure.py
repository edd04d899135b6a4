"""Obscure: reduce a frame to one clear face in a scene of coarse cells.

Blurring around detections is not enough: the detector misses people, and a Gaussian blur can be
undone in part. Therefore the whole picture is downsampled: each cell becomes the mean of its
pixels, which cannot be undone. A face of `FACE_CELLS` cells still reveals something about its
identity. `benchmarks/masking.py` measures how much; docs/accountability.md has the figures.

The size of a cell is computed from the largest face that may be in the picture:

- a detected face: its box, enlarged by `BOX_MARGIN`, since a detected box may be smaller than the
  face. Before a scene is stored, the picture is searched again (`stages.overlooked`);
- an undetected face: at most `UNSEEN_FACE` of the picture's shorter side.

Scenes are computed for sightings only. Until then a track retains, for each of its faces, the face
with a margin and a shrunk copy of the frame (`cut_picture`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.evidence import FacePicture, Scene, ShrunkFrame
from openlfr.domain.faces import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FACE_CELLS = 2
"""Maximum number of cells along a face's longer side. With 3 cells, the strongest attack known to
us identifies one face in six among 40 suspects (docs/adr/0018-two-cells-a-face.md)."""

BOX_MARGIN = 1.15
"""Maximum ratio of a face to its detected box."""

UNSEEN_FACE = 0.3
"""Assumed size of the largest undetected face: its longer side, as a share of the picture's shorter
side. Nearly all larger faces are detected. An undetected face of twice this size has four cells."""

FACE_MARGIN = 0.25
"""Margin on each side of a face's box for ears, hairline and chin, as a share of the box's side."""

SEARCHED_MARGIN = 0.5
"""Margin around a face's box that is searched again. It is wider than `FACE_MARGIN`, since a face
that is cut by the edge of the searched area is hardly ever found (benchmarks.masking, part 3)."""

SHRUNK_SIDE = 128
"""Minimum shorter side of a shrunk frame, pixels. A frame is halved as often as this minimum
allows, so its shorter side is then less than twice this number."""


def shrink(image: NDArray[np.uint8]) -> ShrunkFrame:
    """Shrink a frame to the copy that all its tracks share; call this once per frame, not per face.

    Args:
        image: (h, w, 3) uint8 BGR.
    """
    height, width = image.shape[:2]
    factor = 1
    while min(height, width) >= 2 * factor * SHRUNK_SIDE:
        factor *= 2
    return ShrunkFrame(_square_means(image, factor), factor, width, height)


def cut_picture(
    image: NDArray[np.uint8], frame: ShrunkFrame, box: Box, others: Sequence[Box]
) -> FacePicture:
    """Cut the picture that a track retains of one face.

    Args:
        image: (h, w, 3) uint8 BGR.
        frame: The same picture, shrunk by `shrink`.
        box: Box of the face, source pixels.
        others: Boxes of all other detected faces of the frame; `box` itself is ignored.

    Raises:
        BadInput: The box is outside the picture.
    """
    width, height = frame.width, frame.height
    area = clip_to_pixels(enlarge(box), width, height)
    around = clip_to_pixels(enlarge(box, SEARCHED_MARGIN), width, height)
    if area is None or around is None or clip_to_pixels(box, width, height) is None:
        raise BadInput(
            f"The face's box {tuple(round(v, 1) for v in box)} is outside the "
            f"{width} x {height} picture, so the face cannot be cut."
        )
    left, top, right, bottom = around
    return FacePicture(
        frame=frame,
        near=image[top:bottom, left:right].copy(),  # a view would retain the whole frame in memory
        around=Box(left, top, right - left, bottom - top),
        area=Box(area[0], area[1], area[2] - area[0], area[3] - area[1]),
        box=box,
        others=tuple(other for other in others if other != box),
    )


def obscure(frame: ShrunkFrame, faces: Sequence[Box]) -> Scene:
    """Downsample a frame until no face in it is larger than `FACE_CELLS` cells.

    Args:
        frame: The frame, shrunk by `shrink`.
        faces: Boxes of all known faces, the alerted face included, source pixels.

    Returns:
        The opaque scene. Cells in the last row and column may cover less than a full square.
    """
    width, height = frame.width, frame.height
    largest = max((max(face.w, face.h) for face in faces), default=0.0) * BOX_MARGIN
    largest = min(max(largest, min(width, height) * UNSEEN_FACE), max(width, height))
    factor = max(1, math.ceil(largest / FACE_CELLS / frame.shrink))
    return Scene(_square_means(frame.pixels, factor), factor * frame.shrink, width, height)


def is_opaque(scene: Scene, face: Box) -> bool:
    """Return whether a scene with this face is at least as coarse as `obscure` would make it."""
    unseen = min(scene.width, scene.height) * UNSEEN_FACE
    return scene.cell * FACE_CELLS >= max(face.w, face.h, unseen)


def mosaic(scene: Scene, area: Box | None = None) -> NDArray[np.uint8]:
    """Paint a scene at its source size, with one flat square per cell.

    Args:
        scene: The opaque scene.
        area: Part of the scene to paint, in whole source pixels; None for the whole scene.

    Returns:
        (height, width, 3) uint8 BGR, in the size of the area.
    """
    left, top, w, h = (int(v) for v in area or (0, 0, scene.width, scene.height))
    right, bottom, cell = left + w, top + h, scene.cell
    row, column = top // cell, left // cell
    cells = scene.small[row : -(-bottom // cell), column : -(-right // cell)]
    flat = cells.repeat(cell, axis=0).repeat(cell, axis=1)
    down, along = top - row * cell, left - column * cell
    return flat[down : down + h, along : along + w]


def enlarge(box: Box, margin: float = FACE_MARGIN) -> Box:
    """Enlarge a box on each side by a share of its width and height."""
    dx, dy = box.w * margin, box.h * margin
    return Box(box.x - dx, box.y - dy, box.w + 2 * dx, box.h + 2 * dy)


def clip_to_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return the part of a box inside the picture, in whole pixels.

    Returns:
        (left, top, right, bottom); None if the box is outside the picture.
    """
    left, top = max(0, math.floor(box.x)), max(0, math.floor(box.y))
    right = min(width, math.ceil(box.x + box.w))
    bottom = min(height, math.ceil(box.y + box.h))
    return (left, top, right, bottom) if right > left and bottom > top else None


def _square_means(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the means of `side` x `side` squares; squares at the right and bottom may be smaller.

    OpenCV's area interpolation is fast, and its squares are aligned, only for whole factors. So
    the edges are shrunk separately. Factor two is fastest, so it is applied as often as possible.
    """
    height, width = image.shape[:2]
    rows, columns = height // side, width // side
    small = np.empty((-(-height // side), -(-width // side), 3), np.uint8)
    inner_y, inner_x = rows * side, columns * side
    parts = (
        (slice(0, inner_y), slice(0, inner_x), slice(0, rows), slice(0, columns)),
        (slice(0, inner_y), slice(inner_x, width), slice(0, rows), slice(columns, None)),
        (slice(inner_y, height), slice(0, inner_x), slice(rows, None), slice(0, columns)),
        (slice(inner_y, height), slice(inner_x, width), slice(rows, None), slice(columns, None)),
    )
    for source_y, source_x, to_y, to_x in parts:
        part, to = image[source_y, source_x], small[to_y, to_x]
        if not to.size:
            continue
        halves = side
        while halves % 2 == 0 and part.shape[0] % 2 == 0 and part.shape[1] % 2 == 0:
            part = _resize(part, part.shape[1] // 2, part.shape[0] // 2)
            halves //= 2
        to[...] = _resize(part, to.shape[1], to.shape[0])
    return small


def _resize(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
