"""The measurements of a camera check, and the advice that follows from them.

Width of a face that the models need, in pixels (clean photos shrunk into 720p, share that was
found and matched): YuNet at 640: 1.00 at 64, 0.96 at 48, 0.44 at 32; at 1280: 1.00 at 48, 0.98 at
32, 0.64 at 24. So 48 pixels in the picture are enough. Below 32 only a longer lens helps, and in
between a larger detector input does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.frames import StartOrigin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from openlfr.domain.frames import DisplayTransform

GOOD_WIDTH, LEAST_WIDTH = 48.0, 32.0
"""Face width in source pixels at which everything is matched, and below which little is."""

SOFT = 0.30
"""Sharpness below which faces are blurred: photos of LFW have 0.34 and more, the same under a
Gaussian of 4 pixels 0.27 (`EnrolmentRules`)."""

POOR_EXPOSURE = 0.5
DARK, BRIGHT = 40.0, 215.0
_FEW = 10


@dataclass(frozen=True, slots=True)
class CameraCheck:
    """Measurements of a camera's pictures.

    Attributes:
        width, height: Size of the pictures, pixels.
        fps: Frame rate of the source; None if it has none.
        frames: Number of examined frames.
        light: Mean luminance, 0 to 255.
        input_size: (width, height) of the detector's input.
        faces: Number of faces found at full resolution.
        usable: Number of those that are at least `LEAST_WIDTH` wide.
        seen: Number of usable faces that are found at `input_size`.
        face_width, eye_distance: Medians in source pixels; 0 without faces.
        sharpness, exposure: Medians over the usable faces, 0 to 1; 0 without them.
        advised_input: Longer side that finds nearly all usable faces, if it is not the configured
            one; else None.
        advice: What to improve, most important first.
        start, start_origin: Start of a file's times and its origin; None if unknown.
        shown: Transformation of the pictures before analysis; None if EXIF alone applies.
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


def advice(check: CameraCheck) -> Iterable[str]:
    """Yield what to improve, most important first."""
    if not check.faces:
        yield (
            f"no face in {check.frames} frames: let somebody walk through the picture, looking"
            " towards the camera, and check again"
        )
    if check.light < DARK:
        yield f"the picture is dark (mean {check.light:.0f} of 255): add light or open the exposure"
    if check.light > BRIGHT:
        yield f"the picture is bright (mean {check.light:.0f} of 255): close the exposure"
    if check.faces and check.face_width < GOOD_WIDTH:
        factor = GOOD_WIDTH / check.face_width
        yield (
            f"half of the faces are narrower than {check.face_width:.0f} pixels, and"
            f" {GOOD_WIDTH:.0f} are needed for a sure match: a {factor:.1f} times longer focal"
            " length, or a camera that much nearer"
        )
    if check.advised_input:
        yield (
            f"at {check.input_size[0]}x{check.input_size[1]} the detector finds {check.seen} of"
            f" {check.usable} usable faces: set input_size: {check.advised_input}"
        )
    if check.usable and check.sharpness < SOFT:
        yield (
            f"faces are blurred (sharpness {check.sharpness:.2f}, at least {SOFT:.2f} wanted):"
            " focus, a shorter exposure time, or less compression"
        )
    if check.usable and check.exposure < POOR_EXPOSURE:
        yield (
            f"faces are too dark or too bright (useful luminance {check.exposure:.2f}, at least"
            f" {POOR_EXPOSURE:.2f} wanted): light from the front, no bright background"
        )
    if 0 < check.faces < _FEW:
        yield f"only {check.faces} faces were found, so the figures about them are uncertain"


def advice_on_source(check: CameraCheck) -> Iterable[str]:
    """Yield remarks on the source itself: its start, its problems, its transformations."""
    if check.start_origin is StartOrigin.ASSUMED:
        yield "recording, time assumed: the file has no recording date; set start"
    yield from check.problems
    shown = check.shown
    if shown is None:
        return
    if shown.interlaced:
        yield (
            "the picture is interlaced: moving parts are repaired with half of their lines; set the"
            " camera to progressive pictures if possible"
        )
    if shown.mirrored:
        yield "the video is mirrored, by its own header: pictures are flipped before analysis"
    if shown.pixel_aspect != 1:
        yield (
            f"its pixels are not square ({shown.pixel_aspect:.2f} times as wide as high): the"
            " picture is rescaled before analysis, and boxes are in pixels of the rescaled picture"
        )
