"""Detect: compute the detector's input size, and select usable detections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.faces import Box, Detection

MIN_INPUT, MAX_INPUT = 320, 960
"""Limits of the automatic input size, longer side in pixels. On streets of 1280 x 720, a size of
960 finds as many listed people as 1280 for 56% of the cost (docs/benchmarks.md)."""


def input_size_for(width: int, height: int, box: tuple[int, int] | None) -> tuple[int, int]:
    """Return (width, height) of the detector's input, both multiples of its stride of 32.

    Args:
        width: Width of the frame, pixels.
        height: Height of the frame, pixels.
        box: Width and height into which the frame is fitted, in the frame's aspect ratio. None for
            the frame's own size, but 320 to 960 pixels on the longer side.
    """
    longer = max(width, height)
    if box is None:
        scale = min(max(longer, MIN_INPUT), MAX_INPUT) / longer
    else:
        scale = min(box[0] / width, box[1] / height)
    return -(-max(1, round(width * scale)) // 32) * 32, -(-max(1, round(height * scale)) // 32) * 32


def centre_inside(box: Box, width: int, height: int) -> bool:
    """Return whether a box has its centre inside the picture, and sides of at least 1 pixel."""
    x, y = box.centre
    return 0 <= x < width and 0 <= y < height and box.w >= 1 and box.h >= 1


def stack_landmarks(detections: Sequence[Detection]) -> NDArray[np.float32]:
    """Return the detections' landmarks as (n, 5, 2) float32; n may be 0."""
    return np.array([d.landmarks for d in detections], np.float32).reshape(-1, 5, 2)
