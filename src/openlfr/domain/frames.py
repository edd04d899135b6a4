"""A frame: one picture of one camera and its capture time."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray


class StartOrigin(StrEnum):
    """Origin of the start time of a source."""

    CONFIGURED = "configured"  # `cameras.X.start`
    RECORDED = "recorded"  # the file's own recording date
    ASSUMED = "assumed"  # the file contains no date; the start of the run is used
    CLOCK = "clock"  # the clock of this machine, for a live camera


@dataclass(frozen=True, slots=True)
class DisplayTransform:
    """The transformation of a video's decoded pictures for display.

    Attributes:
        turned: Clockwise turn in degrees, a multiple of 90, from the file's metadata.
        mirrored: Whether the picture is flipped left to right before it is turned.
        interlaced: Whether a frame consists of two fields; moving parts are deinterlaced.
        pixel_aspect: Width of a pixel divided by its height; the shorter side is stretched.
    """

    turned: int = 0
    mirrored: bool = False
    interlaced: bool = False
    pixel_aspect: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture of a camera's stream.

    Attributes:
        camera: Name of the camera in the configuration.
        epoch: Connection or run number; analysis discards frames of earlier epochs.
        seq: Index in the source, from 0; sampled-away and dropped frames leave gaps.
        captured_at: Capture time, UTC. In a file: the file's start time plus the difference between
            the presentation times of this frame and the first frame.
        image: (height, width, 3) uint8, BGR, 0 to 255; no stage changes it.
        time_assumed: Whether the file's start time is unknown, so that `captured_at` counts from
            the start of the run and is not the real time of the scene.
    """

    camera: str
    epoch: int
    seq: int
    captured_at: datetime
    image: NDArray[np.uint8]
    time_assumed: bool = False


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A frame as ingest sends it to analysis, or the end of a camera's epoch.

    Attributes:
        deployment: Id of the deployment to which the camera belongs.
        epoch, seq, captured_at, time_assumed: As in `Frame`.
        frame_index: Index in the source. It equals `seq`, but restarts in each loop of a looped
            file.
        width, height: Size of the picture, pixels.
        jpeg: One whole JPEG file; empty if `ended`.
        ended: Whether this message marks the end of the camera's epoch and contains no picture.
            Then `seq` is one above the last frame's, and all other fields are the last frame's.
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
