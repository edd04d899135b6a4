"""Pictures as files have them, to pixels and back.

A folder is read and a frame from Kafka is decoded by the same function, so that the same bytes
give the same pixels wherever they are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from openlfr.domain.errors import BadInput
from openlfr.stages.decode import decode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUALITY = 95
"""Of the pictures of a video on their way to analysis: templates barely notice it."""

_JPEG = b"\xff\xd8\xff"


def decode_picture(content: bytes) -> NDArray[np.uint8] | None:
    """A picture as (h, w, 3) uint8 BGR, turned as its EXIF says; None if it is none."""
    try:
        return decode(content, "The picture")
    except BadInput:
        return None


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """A picture, (h, w, 3) uint8 BGR, as a JPEG.

    Raises:
        BadInput: It is empty or too large for JPEG (65,535 pixels a side).
    """
    try:
        done, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    except cv2.error:
        done = False
    if not done:
        height, width = image.shape[:2]
        raise BadInput(f"A picture of {width} x {height} pixels cannot be encoded as JPEG.")
    return content.tobytes()


def is_jpeg(content: bytes) -> bool:
    """Whether a file begins as a JPEG does."""
    return content.startswith(_JPEG)
