"""Reads photo files; an incomplete picture is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.files import MAX_PICTURE_BYTES, match_spelling, read_file
from openlfr.stages.decode import decode

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def read_content(path: Path) -> bytes:
    """Read the bytes of a picture's file; the name may be in any Unicode normal form.

    Raises:
        BadInput: The file does not exist, or cannot contain a picture.
    """
    return read_file(match_spelling(path), max_bytes=MAX_PICTURE_BYTES)


def read_picture(path: Path) -> tuple[NDArray[np.uint8], bytes]:
    """Read one picture.

    Returns:
        (h, w, 3) uint8 BGR, turned upright by its EXIF data, and the bytes of the file.

    Raises:
        BadInput: The file does not exist, is no picture, or is incomplete.
    """
    content = read_content(path)
    return decode(content, str(path)), content
