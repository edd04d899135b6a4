"""Draws the street's background: houses, a pavement and the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GROUND = 0.5  # share of the height above the pavement
_VANISHING = 0.3
_WALLS = ((150, 168, 186), (128, 142, 170), (172, 178, 182), (118, 132, 146), (150, 150, 138))
_SHOPS = ((92, 70, 58), (60, 84, 66), (66, 62, 108), (88, 88, 92))


def draw_backdrop(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Draw a random street, (height, width, 3) uint8 BGR."""
    canvas = np.empty((height, width, 3), np.float32)
    ground = int(_GROUND * height)
    sky = np.linspace(232, 205, ground, dtype=np.float32)
    canvas[:ground] = sky[:, None, None] * np.array([1.0, 0.97, 0.93], np.float32)
    left = 0
    while left < width:
        right = left + int(rng.uniform(0.09, 0.19) * width)
        _draw_house(canvas, rng, left, right, ground)
        left = right
    _draw_pavement(canvas, ground)
    coarse = rng.normal(0, 4, (height // 2, width // 2, 1)).astype(np.float32)
    canvas += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    soft = cv2.GaussianBlur(canvas, (0, 0), height / 900)
    return np.clip(soft, 0, 255).astype(np.uint8)


def _draw_house(
    canvas: NDArray[np.float32], rng: np.random.Generator, left: int, right: int, ground: int
) -> None:
    wall = np.array(_WALLS[rng.integers(len(_WALLS))]) * rng.uniform(0.8, 1.1)
    top = int(ground * rng.uniform(0.02, 0.3))
    canvas[top:ground, left:right] = wall
    canvas[top : top + max(ground // 60, 2), left:right] = wall * 0.75
    shop = int(ground * 0.72)
    floor, bay = max(ground // 6, 12), max((right - left) // int(rng.integers(3, 6)), 12)
    for y in range(top + floor // 3, shop - floor // 2, floor):
        for x in range(left + bay // 4, right - bay // 2, bay):
            pane = wall * rng.uniform(0.4, 0.75)
            canvas[y : y + floor * 6 // 10, x : x + bay // 2] = pane
            canvas[y + floor * 6 // 10 : y + floor * 6 // 10 + 2, x : x + bay // 2] = wall * 1.15
    front = np.array(_SHOPS[rng.integers(len(_SHOPS))], np.float32)
    canvas[shop:ground, left:right] = front
    canvas[shop : shop + max(ground // 30, 3), left:right] = front * 1.5
    inset = max((right - left) // 12, 3)
    glass = np.linspace(0.9, 0.5, max(ground - shop - ground // 14, 1), dtype=np.float32)
    lit = np.array([150, 165, 178], np.float32) * rng.uniform(0.5, 1.0)
    canvas[shop + ground // 20 : shop + ground // 20 + glass.size, left + inset : right - inset] = (
        glass[: ground - shop - ground // 20, None, None] * lit
    )


def _draw_pavement(canvas: NDArray[np.float32], ground: int) -> None:
    height, width = canvas.shape[:2]
    shade = np.linspace(128, 158, height - ground, dtype=np.float32)
    canvas[ground:] = shade[:, None, None]
    canvas[ground : ground + max(height // 120, 2)] = 96
    vanish = _VANISHING * height
    for k in range(-14, 15):
        far = width / 2 + k * width * 0.07
        near = width / 2 + (far - width / 2) * (height - vanish) / (ground - vanish)
        cv2.line(canvas, (round(far), ground), (round(near), height), (112, 112, 114), 1, 16)
    for k in range(1, 12):
        y = round(vanish + (ground - vanish) * 12 / (12 - k))
        if y < height:
            cv2.line(canvas, (0, y), (width, y), (114, 114, 116), 1, cv2.LINE_AA)
