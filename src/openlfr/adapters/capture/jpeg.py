"""Pictures as files have them, to pixels and back.

A folder is read and a frame from Kafka is decoded by the same function, so that the same bytes
give the same pixels wherever they are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUALITY = 95
"""Of the pictures of a video on their way to analysis: templates barely notice it."""

_JPEG = b"\xff\xd8\xff"


def decode_picture(content: bytes) -> NDArray[np.uint8] | None:
    """A JPEG or PNG as (h, w, 3) uint8 BGR, turned as its EXIF says; None if it is neither."""
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, dtype=np.uint8)


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
