"""A frame: one picture of one camera, and when it was captured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray


class StartOrigin(StrEnum):
    """Where the moment from which a source counts its time comes from."""

    CONFIGURED = "configured"  # `cameras.X.start`
    RECORDED = "recorded"  # the file's own recording date
    ASSUMED = "assumed"  # nothing says it, so the run's start stands for it
    CLOCK = "clock"  # a live camera: this machine's clock


@dataclass(frozen=True, slots=True)
class Shown:
    """How a video's pictures are changed into what a person would see.

    Attributes:
        turned: Degrees clockwise, by quarters, as the film asks.
        mirrored: Whether it asks to be flipped, left to right, before it is turned.
        interlaced: Whether its frames consist of two fields; what moves is mended.
        pixel_aspect: Width over height of its pixels; the shorter side is stretched.
    """

    turned: int = 0
    mirrored: bool = False
    interlaced: bool = False
    pixel_aspect: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture of a camera's stream.

    Attributes:
        camera: The camera's name in the configuration.
        epoch: Connection or run number; analysis discards a lower one than it has seen.
        seq: Index in the source from 0. Gaps are frames sampled away or dropped.
        captured_at: UTC. For a file: when it was filmed, plus the time from its first frame's
            presentation to this one's.
        image: (height, width, 3) uint8, BGR, 0 to 255. Never written to by a stage.
        time_assumed: Whether nothing says when the file was filmed, so that it counts from the
            start of the run: `captured_at` is not when somebody stood there.
    """

    camera: str
    epoch: int
    seq: int
    captured_at: datetime
    image: NDArray[np.uint8]
    time_assumed: bool = False


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One picture of a camera's stream as it travels from ingest to analysis, or its end.

    Attributes:
        deployment: The authorised operation under which the camera is open.
        epoch, seq, captured_at, time_assumed: As in `Frame`.
        frame_index: Index in the source; equal to seq, except for a looped file, where it
            starts again.
        width, height: Of the picture, pixels.
        jpeg: One whole JPEG file; empty where `ended`.
        ended: No picture: the camera's epoch is over. `seq` is one more than that of the last
            frame sent, everything else is that frame's.
    """

    deployment: str
    camera: str
    epoch: int
    seq: int
    frame_index: int
    captured_at: datetime
    width: int
    height: int
    jpeg: bytes = field(repr=False)
    ended: bool = False
    time_assumed: bool = False
