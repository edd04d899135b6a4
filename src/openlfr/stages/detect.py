"""Detect: the input size for a camera's detector, and which detections are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.faces import Box, Detection

SMALLEST_INPUT, LARGEST_INPUT = 320, 960
"""Limits of the automatic input size, longer side in pixels. On streets of 1280 x 720, 960 finds as
many listed people as 1280 for 56% of the cost (docs/benchmarks.md)."""


def input_size_for(width: int, height: int, box: tuple[int, int] | None) -> tuple[int, int]:
    """The detector's input for a camera's frames, both sides multiples of 32 (its stride).

    Args:
        width: Width of the frame, pixels.
        height: Height of the frame, pixels.
        box: Width and height into which the frame is fitted, with its aspect ratio. None: the
            frame's own size, but at most 960 pixels on the longer side and at least 320.
    """
    longer = max(width, height)
    if box is None:
        scale = min(max(longer, SMALLEST_INPUT), LARGEST_INPUT) / longer
    else:
        scale = min(box[0] / width, box[1] / height)
    return -(-max(1, round(width * scale)) // 32) * 32, -(-max(1, round(height * scale)) // 32) * 32


def centre_inside(box: Box, width: int, height: int) -> bool:
    """Whether the box's centre is inside the picture; if not, there is no face to show."""
    x, y = box.centre
    return 0 <= x < width and 0 <= y < height and box.w >= 1 and box.h >= 1


def landmarks_of(detections: Sequence[Detection]) -> NDArray[np.float32]:
    """The detections' landmarks as (n, 5, 2) float32; n may be 0."""
    return np.array([d.landmarks for d in detections], np.float32).reshape(-1, 5, 2)
