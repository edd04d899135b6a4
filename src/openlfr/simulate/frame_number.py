"""The frame number in the picture: a bar of 32 cells that survives H.264.

A receiver can identify each frame by its number, so loss and delay can be measured exactly. The
cells in the top left corner encode 24 bits and their CRC-8 (polynomial x^8 + x^2 + x + 1, no
reflection, start 0), most significant bit first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL = 8  # side of a cell, pixels: one H.264 transform block
_NUMBER_BITS, _CRC_BITS, _POLYNOMIAL = 24, 8, 0x107
_CELLS = _NUMBER_BITS + _CRC_BITS
_DARK, _BRIGHT, _MIDDLE = 16, 235, 125


def _with_crc(number: int) -> int:
    word = number << _CRC_BITS
    remainder = word
    for bit in range(_CELLS - 1, _CRC_BITS - 1, -1):
        if remainder >> bit & 1:
            remainder ^= _POLYNOMIAL << (bit - _CRC_BITS)
    return word | remainder


def burn_number(image: NDArray[np.uint8], number: int) -> None:
    """Draw a frame number, modulo 2^24, into the picture."""
    word = _with_crc(number % (1 << _NUMBER_BITS))
    bits = np.array([word >> i & 1 for i in range(_CELLS - 1, -1, -1)], np.uint8)
    bar = np.where(bits, _BRIGHT, _DARK).astype(np.uint8).repeat(CELL)
    image[:CELL, : bar.size] = bar[None, :, None]


def read_number(image: NDArray[np.uint8], *, scale: float = 1.0) -> int | None:
    """Read the number in a picture; None if the bar is damaged.

    Args:
        image: (h, w, 3) uint8.
        scale: Width of the picture divided by its original width.
    """
    cell = CELL * scale
    rows = slice(int(cell * 0.25), max(int(cell * 0.75), int(cell * 0.25) + 1))
    word = 0
    for i in range(_CELLS):
        left = int(cell * (i + 0.25))
        middle = image[rows, left : max(int(cell * (i + 0.75)), left + 1)]
        if not middle.size:
            return None
        word = word << 1 | int(middle.mean() > _MIDDLE)
    number = word >> _CRC_BITS
    return number if _with_crc(number) == word else None
