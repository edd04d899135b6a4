"""Reading the photo files that people hand in: whole pictures or a clear refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.files import PICTURE_BYTES, match_spelling, read_file
from openlfr.stages.decode import decode

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def read_content(path: Path) -> bytes:
    """The bytes of a picture's file, found in whichever normal form its name is written.

    Raises:
        BadInput: There is no such file, or it is none that a picture can be in.
    """
    return read_file(match_spelling(path), at_most=PICTURE_BYTES)


def read_picture(path: Path) -> tuple[NDArray[np.uint8], bytes]:
    """Read one picture.

    Returns:
        (h, w, 3) uint8 BGR, turned upright as its EXIF data say, and the bytes of the file.

    Raises:
        BadInput: No such file, no picture, or one that breaks off.
    """
    content = read_content(path)
    return decode(content, str(path)), content
