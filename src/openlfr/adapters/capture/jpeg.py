"""Decodes picture files to pixels, and encodes pixels as JPEG.

The same function decodes pictures of a folder and frames from Kafka, so that equal bytes become
equal pixels everywhere.
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
"""JPEG quality of video frames sent to analysis; this quality hardly changes templates."""

_JPEG = b"\xff\xd8\xff"


def decode_picture(content: bytes) -> NDArray[np.uint8] | None:
    """Decode a picture to (h, w, 3) uint8 BGR, oriented by its EXIF; None if it is unreadable."""
    try:
        return decode(content, "The picture")
    except BadInput:
        return None


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """Encode a picture, (h, w, 3) uint8 BGR, as JPEG.

    Raises:
        BadInput: The picture is empty or too large for JPEG (65,535 pixels per side).
    """
    try:
        is_encoded, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        height, width = image.shape[:2]
        raise BadInput(f"A picture of {width} x {height} pixels cannot be encoded as JPEG.")
    return content.tobytes()


def is_jpeg(content: bytes) -> bool:
    """Return whether the content begins as a JPEG does."""
    return content.startswith(_JPEG)
