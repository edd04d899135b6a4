"""The measurements of a camera check, and the advice that follows from them.

The models need a minimum width of a face. Share of faces that were detected and matched, by width
in pixels (clean photos shrunk into 720p):

- YuNet at 640: 1.00 at 64, 0.96 at 48, 0.44 at 32.
- YuNet at 1280: 1.00 at 48, 0.98 at 32, 0.64 at 24.

So 48 pixels in the picture are enough. Between 32 and 48 pixels a larger detector input helps, and
below 32 pixels only a longer lens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.frames import StartOrigin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from openlfr.domain.frames import DisplayTransform

GOOD_WIDTH_PX, MIN_WIDTH_PX = 48.0, 32.0
"""Face widths in source pixels: nearly all faces are matched from the first width on, and few below
the second."""

MIN_SHARPNESS = 0.30
"""Sharpness below which faces are blurred. Photos of LFW have at least 0.34; the same photos under
a Gaussian blur of 4 pixels have 0.27 (`EnrolmentRules`)."""

MIN_EXPOSURE = 0.5
DARK, BRIGHT = 40.0, 215.0  # mean luminance, 0 to 255
_MIN_FACES = 10  # below this number the figures about faces are uncertain


@dataclass(frozen=True, slots=True)
class CameraCheck:
    """Measurements of a camera's pictures.

    Attributes:
        width, height: Size of the pictures, pixels.
        fps: Frame rate of the source; None if it has none.
        frames: Number of examined frames.
        light: Mean luminance, 0 to 255.
        input_size: (width, height) of the detector's input.
        faces: Number of faces detected at full resolution.
        usable: Number of faces that are at least `MIN_WIDTH_PX` wide.
        seen: Number of usable faces that are detected at `input_size`.
        face_width, eye_distance: Medians in source pixels; 0 without faces.
        sharpness, exposure: Medians over the usable faces, 0 to 1; 0 without usable faces.
        advised_input: Longer side of an input at which nearly all usable faces are detected; None
            if the configured input is large enough.
        advice: Sentences about possible improvements, most important first.
        start, start_origin: Start of a file's times, and the origin of this start; None if unknown.
        shown: Transformation of the pictures before analysis; None if only EXIF data apply.
        unreadable: Number of frames that could not be decoded.
        problems: Sentences about unreadable parts.
    """

    width: int
    height: int
    fps: float | None
    frames: int
    light: float
    input_size: tuple[int, int]
    faces: int
    usable: int
    seen: int
    face_width: float
    eye_distance: float
    sharpness: float
    exposure: float
    advised_input: int | None
    advice: tuple[str, ...]
    start: datetime | None = None
    start_origin: StartOrigin | None = None
    shown: DisplayTransform | None = None
    unreadable: int = 0
    problems: tuple[str, ...] = ()


def list_advice(check: CameraCheck) -> Iterable[str]:
    """Yield possible improvements as sentences, most important first."""
    if not check.faces:
        yield (
            f"no face in {check.frames} frames: let somebody walk through the picture, looking"
            " towards the camera, and check again"
        )
    if check.light < DARK:
        yield f"the picture is dark (mean {check.light:.0f} of 255): add light or open the exposure"
    if check.light > BRIGHT:
        yield f"the picture is bright (mean {check.light:.0f} of 255): close the exposure"
    if check.faces and check.face_width < GOOD_WIDTH_PX:
        factor = GOOD_WIDTH_PX / check.face_width
        yield (
            f"half of the faces are narrower than {check.face_width:.0f} pixels, and"
            f" {GOOD_WIDTH_PX:.0f} are needed for a sure match: use a {factor:.1f} times longer"
            " focal length, or move the camera nearer by the same factor"
        )
    if check.advised_input:
        yield (
            f"at {check.input_size[0]}x{check.input_size[1]} the detector finds {check.seen} of"
            f" {check.usable} usable faces: set input_size: {check.advised_input}"
        )
    if check.usable and check.sharpness < MIN_SHARPNESS:
        yield (
            f"faces are blurred (sharpness {check.sharpness:.2f}, at least {MIN_SHARPNESS:.2f}"
            " needed): focus the lens, shorten the exposure time, or reduce the compression"
        )
    if check.usable and check.exposure < MIN_EXPOSURE:
        yield (
            f"faces are too dark or too bright (useful luminance {check.exposure:.2f}, at least"
            f" {MIN_EXPOSURE:.2f} needed): add light from the front, and avoid a bright background"
        )
    if 0 < check.faces < _MIN_FACES:
        yield f"only {check.faces} faces were found, so the figures about them are uncertain"


def list_source_advice(check: CameraCheck) -> Iterable[str]:
    """Yield sentences about an assumed start, unreadable parts and corrected pictures."""
    if check.start_origin is StartOrigin.ASSUMED:
        yield "recording, time assumed: the file has no recording date; set start"
    yield from check.problems
    shown = check.shown
    if shown is None:
        return
    if shown.interlaced:
        yield (
            "the picture is interlaced: moving parts are repaired from half of their lines; set the"
            " camera to progressive pictures if possible"
        )
    if shown.mirrored:
        yield "the video's header declares mirrored pictures: they are flipped before analysis"
    if shown.pixel_aspect != 1:
        yield (
            f"the pixels are not square ({shown.pixel_aspect:.2f} times as wide as high): the"
            " picture is rescaled before analysis, and boxes are in pixels of the rescaled picture"
        )
