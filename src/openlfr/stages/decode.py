"""Decode: convert the bytes of one picture to pixels, or report what is wrong with the picture.

Untrusted pictures are decoded with Pillow: it reads the size from the header before it reserves
memory, raises an exception for a broken file, and prints nothing. OpenCV's decoders print messages
of their libraries to descriptor 2, past every log handler (libjpeg "Corrupt JPEG data", libpng
"IHDR: CRC error"). Redirecting the descriptor could lose log lines of another thread. Pillow and
OpenCV decode a JPEG to the same pixels; at 1280 x 720 Pillow takes 6 ms, OpenCV 4 ms.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_PIXELS = 64_000_000
"""Maximum number of pixels. Pictures of full-frame cameras have at most 61 million. Decoding needs
seven bytes per pixel."""
MAX_SIDE = 30_000
"""Maximum side in pixels: OpenCV cannot warp a picture with a side of 32,767 pixels or more."""
MAX_SCANS = 200
"""Maximum number of scans of a progressive JPEG. About ten are usual, and each may cost a pass over
all pixels."""
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "JPEG2000", "AVIF")

_KNOWN = "JPEG, PNG, BMP, TIFF, WebP, GIF, PPM, JPEG 2000 or AVIF"
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_JPEG_START, _JPEG_SCAN = b"\xff\xd8", b"\xff\xda"


def decode(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode one picture.

    Args:
        content: Content of the picture's file.
        name: Name of the picture, with which an error message begins.

    Returns:
        (h, w, 3) uint8 BGR, turned upright by its EXIF orientation.

    Raises:
        BadInput: The content is no picture, is truncated or too large, or has several pictures.
    """
    _refuse_bombs(content, name)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _refuse_size(*picture.size, name)
            _refuse_several(picture, name)
            return _read_pixels(picture)
    except BadInput:
        raise
    except Image.DecompressionBombError:
        raise BadInput(
            f"{name} has far more than the allowed {MAX_PIXELS // 10**6} million pixels. "
            "Save it smaller."
        ) from None
    except UnidentifiedImageError:
        raise BadInput(f"{name} is not a readable picture ({_KNOWN}).") from None
    except Exception as error:  # noqa: BLE001 - each decoder raises its own exceptions
        raise BadInput(f"{name} {_describe_fault(error)}.") from None


def _refuse_bombs(content: bytes, name: str) -> None:
    """Raise for pictures that cost memory or time before Pillow reports the picture's size."""
    if content.startswith(_JPEG_START) and (scans := content.count(_JPEG_SCAN)) > MAX_SCANS:
        raise BadInput(f"{name} has {scans} scans; at most {MAX_SCANS} are allowed.")
    if content[8:16] == b"WEBPVP8X":
        _refuse_size(_parse_int24(content[24:27]) + 1, _parse_int24(content[27:30]) + 1, name)


def _parse_int24(little_endian: bytes) -> int:
    return int.from_bytes(little_endian, "little")


def _refuse_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise BadInput(
            f"{name} has {width} x {height} pixels; at most {MAX_PIXELS // 10**6} million are "
            "allowed. Save it smaller."
        )
    if max(width, height) > MAX_SIDE:
        raise BadInput(
            f"{name} has {width} x {height} pixels; at most {MAX_SIDE} per side are allowed. "
            "Save it smaller."
        )


def _refuse_several(picture: Image.Image, name: str) -> None:
    """Raise for an animation or a file of several pages, since only one picture is expected.

    A phone's photo with a preview or depth map (MPO) counts as one picture.
    """
    if picture.format != "MPO" and getattr(picture, "is_animated", False):
        raise BadInput(f"{name} contains several pictures; save one of them as a separate file.")


def _read_pixels(picture: Image.Image) -> NDArray[np.uint8]:
    picture.load()
    upright = picture
    turn = _UPRIGHT.get(_read_orientation(picture))
    if turn is not None:
        upright = picture.transpose(turn)
    if upright.mode.startswith("I"):  # 16 bits of grey
        grey = np.asarray(upright).astype(np.uint32) >> 8
        grey8 = np.clip(grey, 0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(grey8, cv2.COLOR_GRAY2BGR), np.uint8)
    if upright.mode == "P":
        upright = upright.convert("RGBA")  # otherwise Pillow warns about transparent palettes
    if upright.mode != "RGB":
        upright = upright.convert("RGB")
    return np.asarray(cv2.cvtColor(np.asarray(upright), cv2.COLOR_RGB2BGR), np.uint8)


def _read_orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 if it is missing or cannot be read."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken EXIF data do not make the picture unusable
        return 1


def _describe_fault(error: Exception) -> str:
    if "truncated" in str(error) or "not enough" in str(error) or isinstance(error, EOFError):
        return "breaks off; the file is not complete"
    return "is broken and cannot be read"
