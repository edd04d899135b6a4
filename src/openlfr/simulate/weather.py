"""Light and noise of the whole picture, which change from frame to frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.simulate.options import StreetOptions

_FIELDS = 4  # noise fields; each frame uses a random window of one field, possibly mirrored
_ROOM = 64  # range of the window's position, pixels of the half-size field
_CLOUD_S, _CLOUD_DEPTH = 40, 0.3  # every 40 s a cloud reduces the light by 30% for 10 s
_SHADOW_SPEED, _SHADOW_WIDTH, _SHADOW_DEPTH, _SHADOW_EDGE = 30.0, 300, 0.35, 25.0


class Weather:
    """Light and noise of one camera; every frame can be computed without the others."""

    def __init__(self, options: StreetOptions, rng: np.random.Generator) -> None:
        self._options = options
        self._key = int(rng.integers(2**31))
        shape = (options.height // 2 + _ROOM, options.width // 2 + _ROOM, 3)
        self._fields = [
            np.clip(128 + options.noise * rng.standard_normal(shape, np.float32), 0, 255).astype(
                np.uint8
            )
            for _ in range(_FIELDS if options.noise else 0)
        ]
        at = np.arange(-4 * _SHADOW_EDGE, _SHADOW_WIDTH + 4 * _SHADOW_EDGE, dtype=np.float32)
        inside = 1 / (1 + np.exp(-at / _SHADOW_EDGE))
        inside *= 1 / (1 + np.exp((at - _SHADOW_WIDTH) / _SHADOW_EDGE))
        self._shadow = 1 - _SHADOW_DEPTH * inside

    def light(self, n: int) -> float:
        """Return the brightness factor of frame `n`, from the sun's slow change and clouds."""
        t = n / self._options.fps
        sun = 1 + 0.16 * math.sin(2 * math.pi * t / 23)
        into = (t % _CLOUD_S - 30) / 10  # 0 to 1 while the cloud passes
        cloud = min(1.0, 8 * into, 8 * (1 - into)) if 0 < into < 1 else 0.0
        return sun - _CLOUD_DEPTH * cloud

    def apply(self, image: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
        """Apply light and noise of frame `n` to a picture, (height, width, 3) uint8 BGR."""
        light = self.light(n)
        lit = cv2.convertScaleAbs(image, alpha=light)
        width = self._options.width
        begin = int(n / self._options.fps * _SHADOW_SPEED % (2 * width)) - width // 2
        left, right = max(begin, 0), min(begin + self._shadow.size, width)
        if left < right:
            band = self._shadow[left - begin : right - begin, None] * light
            lit[:, left:right] = np.minimum(image[:, left:right] * band, 255)
        if self._fields:
            lit = cv2.addWeighted(lit, 1.0, self._noise(n), 1.0, -128)
        return np.asarray(lit, np.uint8)

    def _noise(self, n: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng([self._key, n])
        which, down, across, mirror = rng.integers([_FIELDS, _ROOM, _ROOM, 2]).tolist()
        rows, columns = self._options.height // 2, self._options.width // 2
        window = self._fields[which][down : down + rows, across : across + columns]
        if mirror:
            window = window[:, ::-1]
        size = (self._options.width, self._options.height)
        whole = np.ascontiguousarray(window)
        return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_NEAREST), np.uint8)
