"""Reading the photo files that people hand in: whole pictures or a clear refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAX_BYTES = 64 * 1024 * 1024
_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


def read_picture(path: Path) -> tuple[NDArray[np.uint8], bytes]:
    """Read one picture.

    Returns:
        (h, w, 3) uint8 BGR, turned upright as its EXIF data say, and the bytes of the file.

    Raises:
        BadInput: No such file, no picture, or one that breaks off.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput(f"{path} is larger than {_MAX_BYTES // 1024**2} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    if not content:
        raise BadInput(f"{path} is empty.")
    if _breaks_off(content):
        raise BadInput(f"{path} breaks off: the file is not complete.")
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise BadInput(f"{path} is no picture that can be read (JPEG, PNG, BMP, TIFF or WebP).")
    return np.asarray(image, np.uint8), content


def _breaks_off(content: bytes) -> bool:
    """Whether a JPEG lacks its end; decoders fill the rest with grey and say nothing.

    Inside a scan the end marker cannot occur by chance (a byte 0xFF is always followed by a
    stuffed 0), and a thumbnail's markers stand before the picture's last scan.
    """
    return content.startswith(_JPEG_START) and content.rfind(_JPEG_END) < content.rfind(_JPEG_SCAN)
