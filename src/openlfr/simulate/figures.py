"""Draws a person into the picture (shadow, body and head), and records visible faces.

`owners` stores for each pixel the face that is visible there. So the visible share of a face is
counted, not estimated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.simulate.portraits import BOTTOM, ELLIPSE, HALF_WIDTH, TOP, Portrait

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.simulate.walks import FacePosition, Walk

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float64]

NOBODY = 0
_SHIFT = 4  # coordinates for cv2 are in sixteenths of a pixel
_FEET = 9.4  # distance of the feet below the face's centre, in face widths

# Outline of one half of the torso, from the neck over shoulder and hip, in face widths.
_TORSO = np.array([
    (0.30, 0.66), (0.60, 0.82), (0.98, 0.95), (1.14, 1.08), (1.22, 1.30), (1.20, 1.8),
    (1.02, 3.0), (0.98, 4.6),
])  # fmt: skip
_TORSO_OUTLINE = np.vstack([_TORSO, _TORSO[::-1] * (-1, 1)])
_NECK = np.array([(-0.30, 0.3), (0.30, 0.3), (0.36, 0.85), (-0.36, 0.85)])


def draw_figure(
    canvas: Pixels,
    owners: Pixels,
    owner: int,
    walk: Walk,
    portrait: Portrait,
    position: FacePosition,
    motion: tuple[float, float],
) -> None:
    """Draw a person over everything drawn so far.

    Args:
        canvas: (height, width, 3) uint8 BGR; changed.
        owners: (height, width) uint8, number of the face that each pixel shows; changed.
        owner: Number of this face, 1 to 255.
        walk: Walk of the person, with the colours of the clothes.
        portrait: Head of the person.
        position: Position of the face.
        motion: (x, y) motion of the face while the shutter is open, pixels.
    """
    _draw_shadow(canvas, position)
    _draw_body(canvas, owners, walk, portrait, position)
    _draw_head(canvas, owners, owner, walk, portrait, position, motion)


def compute_face_area(px: float) -> float:
    """Return the number of pixels of an uncovered face of width `px`."""
    return math.pi * ELLIPSE[0] * ELLIPSE[1] * px * px


def _draw_shadow(canvas: Pixels, position: FacePosition) -> None:
    x, y = position.x, position.y + _FEET * position.px
    half_w, half_h = 1.5 * position.px, 0.28 * position.px
    rows, columns = _inside(canvas, x - half_w, y - half_h, x + half_w, y + half_h)
    ground = canvas[rows, columns]
    if ground.size:
        dark = ground.copy()
        middle = (x - columns.start, y - rows.start)
        cv2.ellipse(dark, (middle, (2 * half_w, 2 * half_h), 0), (40, 40, 40), -1, cv2.LINE_AA)
        canvas[rows, columns] = cv2.addWeighted(ground, 0.55, dark, 0.45, 0)


def _draw_body(
    canvas: Pixels, owners: Pixels, walk: Walk, portrait: Portrait, position: FacePosition
) -> None:
    coat = np.array(walk.coat) * walk.gain
    trousers, skin = np.array(walk.trousers) * walk.gain, np.array(portrait.skin)
    step = 0.55 * position.swing
    _fill(canvas, owners, position, _limb((-0.5, 4.4), (-0.5 - step, _FEET), 0.42), trousers * 0.8)
    _fill(canvas, owners, position, _limb((0.5, 4.4), (0.5 + step, _FEET), 0.42), trousers)
    for side in (-1, 1):
        hand = (side * 1.28 - 0.5 * step, 4.7 + 0.1 * side * position.swing)
        _fill(canvas, owners, position, _limb((side * 1.05, 1.2), hand, 0.28), coat * 0.72)
    _fill(canvas, owners, position, _TORSO_OUTLINE, coat)
    _fill(canvas, owners, position, _NECK, skin * 0.8)


def _limb(begin: tuple[float, float], end: tuple[float, float], half: float) -> Floats:
    (x0, y0), (x1, y1) = begin, end
    thin = half * 0.65
    return np.array([
        (x0 - half, y0 + half / 2), (x0 - half / 2, y0), (x0 + half / 2, y0),
        (x0 + half, y0 + half / 2), (x1 + thin, y1 - thin), (x1, y1), (x1 - thin, y1 - thin),
    ])  # fmt: skip


def _fill(
    canvas: Pixels, owners: Pixels, position: FacePosition, shape: Floats, colour: Floats
) -> None:
    points = shape * position.px + (position.x, position.y)
    fixed = np.rint(points * (1 << _SHIFT)).astype(np.int32)
    blue, green, red = np.clip(colour, 0, 255).tolist()
    cv2.fillPoly(canvas, [fixed], (blue, green, red), cv2.LINE_AA, _SHIFT)
    cv2.fillPoly(owners, [fixed], NOBODY, cv2.LINE_8, _SHIFT)


def _draw_head(
    canvas: Pixels,
    owners: Pixels,
    owner: int,
    walk: Walk,
    portrait: Portrait,
    position: FacePosition,
    motion: tuple[float, float],
) -> None:
    level, side = portrait.choose_level(position.px)
    size, angle = position.px / side, math.radians(walk.tilt * position.swing)
    smear = math.hypot(*motion)
    margin = 0.08 * position.px + smear / 2 + 2  # for the tilt and the motion
    across, above, below = (part * position.px + margin for part in (HALF_WIDTH, TOP, BOTTOM))
    rows, columns = _inside(
        canvas, position.x - across, position.y - above, position.x + across, position.y + below
    )
    ground = canvas[rows, columns]
    if not ground.size:
        return
    cos, sin = size * math.cos(angle), size * math.sin(angle)
    face_x, face_y = HALF_WIDTH * side, TOP * side
    x, y = position.x - columns.start, position.y - rows.start
    to_picture = np.array(
        [[cos, -sin, x - cos * face_x + sin * face_y], [sin, cos, y - sin * face_x - cos * face_y]]
    )
    head = cv2.warpAffine(level, to_picture, (ground.shape[1], ground.shape[0]))
    if (kernel := _smear_kernel(*motion)) is not None:
        head = cv2.filter2D(head, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    alpha = cv2.extractChannel(head, 3)
    uncovered = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2BGR)
    behind = cv2.multiply(ground, uncovered, scale=1 / 255)
    canvas[rows, columns] = cv2.add(behind, cv2.cvtColor(head, cv2.COLOR_BGRA2BGR))
    owners[rows, columns][alpha > 127] = owner


def _smear_kernel(dx: float, dy: float) -> NDArray[np.float32] | None:
    """Return the blur kernel of a motion by (dx, dy) pixels; None for less than 3 pixels."""
    side = int(math.hypot(dx, dy)) | 1
    if side < 3:
        return None
    kernel = np.zeros((side, side), np.float32)
    middle, unit = side // 2, (side // 2) / math.hypot(dx, dy)
    begin = (round(middle - dx * unit), round(middle - dy * unit))
    end = (round(middle + dx * unit), round(middle + dy * unit))
    cv2.line(kernel, begin, end, 1.0, 1)
    kernel /= kernel.sum()
    return kernel


def _inside(
    canvas: Pixels, left: float, top: float, right: float, bottom: float
) -> tuple[slice, slice]:
    """Return rows and columns of the part of a rectangle that is inside the picture."""
    height, width = canvas.shape[:2]
    rows = slice(min(max(math.floor(top), 0), height), min(max(math.ceil(bottom), 0), height))
    columns = slice(min(max(math.floor(left), 0), width), min(max(math.ceil(right), 0), width))
    return rows, columns
