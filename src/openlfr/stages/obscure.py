"""Make a frame fit to be kept: one face in clear, everything else beyond recovery.

Blurring around detections is not enough: the detector misses people, and a Gaussian blur can be
undone in part. So the whole picture is downsampled, each cell being replaced by its mean; what
is thrown away is gone. Only the alerted face's own box is kept at source resolution.

How coarse it must be follows from the largest face that may stand in the picture:

- a detected face: its box, plus `BOX_MARGIN` for a detector that draws its boxes tighter than
  the head;
- an undetected one: at most `UNSEEN_FACE` of the frame's height. A face beyond that fills the
  picture, and the detector at any input size that we use (see FACE_CELLS' note) finds it; below
  it the detector may fail, through pose, a hand or motion, and need not succeed for anybody's
  privacy.

No face is then wider or taller than about `FACE_CELLS` cells.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.evidence import Evidence, Scene
from openlfr.domain.faces import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FACE_CELLS = 8
"""Cells along a face's longer side at most; nobody is matched at that size (the embedder's
share of faces found and matched is 0.44 at 32 pixels already, and falls to none below 16)."""

BOX_MARGIN = 1.15
"""How much larger than its detected box a face may be."""

UNSEEN_FACE = 0.25
"""Height of the largest face that may go undetected, as a share of the frame's height."""


def obscure(image: NDArray[np.uint8], faces: Sequence[Box]) -> Scene:
    """Downsample a frame until nobody in it can be recognised.

    Cheap enough for every frame that leads to a sighting (0.5 ms at 1280 x 720, one thread), but
    call it once a frame, not once a face. The cell is a multiple of four pixels: the first two
    halvings are OpenCV's fast ones (0.5 instead of 0.9 ms), and the same street is not sampled
    at many different sizes, from which more could be pieced together than from one.

    Args:
        image: (h, w, 3) uint8 BGR.
        faces: Boxes of all detected faces, the alerted one included, source pixels.

    Returns:
        The opaque scene. Cells in the last row and column may cover less than a full square:
        each is the mean of what there is.
    """
    height, width = image.shape[:2]
    largest = max((max(face.w, face.h) for face in faces), default=0.0) * BOX_MARGIN
    largest = min(max(largest, height * UNSEEN_FACE), max(height, width))
    cell = 4 * math.ceil(largest / FACE_CELLS / 4)
    return Scene(small=_cell_means(image, cell), cell=cell, width=width, height=height)


def _cell_means(image: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """Means of `cell` x `cell` squares; the incomplete ones at the right and bottom edge too.

    OpenCV's area interpolation takes its fast path only for whole factors, and only there are
    the squares aligned; so the edges are shrunk by themselves.
    """
    height, width = image.shape[:2]
    rows, columns = height // cell, width // cell
    small = np.empty((-(-height // cell), -(-width // cell), 3), np.uint8)
    inner_y, inner_x = rows * cell, columns * cell
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
        if part.shape[0] % cell == 0 and part.shape[1] % cell == 0:
            for _ in range(2):
                part = _shrink(part, part.shape[1] // 2, part.shape[0] // 2)
        to[...] = _shrink(part, to.shape[1], to.shape[0])
    return small


def _shrink(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def mosaic(scene: Scene, area: tuple[int, int, int, int] | None = None) -> NDArray[np.uint8]:
    """Paint a scene at its source size, each cell one flat square.

    Args:
        scene: The opaque scene.
        area: (left, top, right, bottom) in source pixels; None paints all of it.

    Returns:
        (bottom - top, right - left, 3) uint8 BGR.
    """
    left, top, right, bottom = area or (0, 0, scene.width, scene.height)
    cell = scene.cell
    row, column = top // cell, left // cell
    cells = scene.small[row : -(-bottom // cell), column : -(-right // cell)]
    flat = cells.repeat(cell, axis=0).repeat(cell, axis=1)
    down, along = top - row * cell, left - column * cell
    return flat[down : down + bottom - top, along : along + right - left]


def evidence_of(
    image: NDArray[np.uint8], scene: Scene, box: Box, others: Sequence[Box]
) -> Evidence:
    """Keep the alerted face in clear, and of the rest only the scene.

    Where another detected face reaches into the alerted box, its part is replaced by the mosaic
    too, with one exception: the middle of the alerted box (half its width and height, a quarter
    of its area) always stays, since without it nobody could judge the alert. Someone whose face
    covers that middle stands in front of the alerted one.

    Args:
        image: (h, w, 3) uint8 BGR, the frame that `scene` was made of.
        scene: Of `obscure`.
        box: The alerted face, source pixels.
        others: Every other detected face of the frame; `box` itself is ignored.

    Raises:
        BadInput: The box lies outside the picture.
    """
    area = _whole_pixels(box, scene.width, scene.height)
    if area is None:
        raise BadInput(
            f"The face's box {tuple(round(v, 1) for v in box)} lies outside the "
            f"{scene.width} x {scene.height} picture: no evidence can be kept of it."
        )
    left, top, right, bottom = area
    face = image[top:bottom, left:right].copy()
    hidden = np.zeros(face.shape[:2], np.bool_)
    for other in others:
        cut = None if other == box else _whole_pixels(other, scene.width, scene.height)
        if cut is not None:
            columns = slice(max(cut[0] - left, 0), max(cut[2] - left, 0))
            rows = slice(max(cut[1] - top, 0), max(cut[3] - top, 0))
            hidden[rows, columns] = True
    if hidden.any():
        dy, dx = (bottom - top) // 4, (right - left) // 4
        hidden[dy : bottom - top - dy, dx : right - left - dx] = False
        face[hidden] = mosaic(scene, area)[hidden]
    return Evidence(scene=scene, face=face, box=Box(left, top, right - left, bottom - top))


def _whole_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """The box as (left, top, right, bottom) in whole pixels within the picture."""
    left, top = max(0, math.floor(box.x)), max(0, math.floor(box.y))
    right = min(width, math.ceil(box.x + box.w))
    bottom = min(height, math.ceil(box.y + box.h))
    return (left, top, right, bottom) if right > left and bottom > top else None
