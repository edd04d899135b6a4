"""A decoded video frame as the picture that stages take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av import VideoFrame
    from numpy.typing import NDArray


def to_bgr(frame: VideoFrame) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 BGR, C-contiguous, turned as the file's display matrix asks.

    One conversion thread: 0.6 ms for 720p against 1.1 ms of CPU (and 5 ms of waiting) with
    the library's default of one thread per core.
    """
    image = np.asarray(frame.reformat(format="bgr24", threads=1).to_ndarray(), dtype=np.uint8)
    turns = round(frame.rotation / 90) % 4
    if turns:
        image = np.rot90(image, turns)
    # Rows of odd widths are padded, and a turned picture is a view: both cost one copy.
    return np.ascontiguousarray(image)
