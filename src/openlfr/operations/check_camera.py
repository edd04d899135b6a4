"""Does a camera show what the models need?

Faces are looked for twice: at the camera's full resolution, which shows who is in the picture, and
at the detector's configured input, which shows whom the pipeline would see. The difference is
measured here and not computed from the lens.

What the models need, in pixels of a face's width (clean photos shrunk into 720p, share that was
found and matched): YuNet at 640: 1.00 at 64, 0.96 at 48, 0.44 at 32; at 1280: 1.00 at 48, 0.98 at
32, 0.64 at 24. So 48 pixels in the picture are enough, below 32 nothing helps but a longer lens,
and in between a larger input does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.frames import StartOrigin
from openlfr.stages.assess import assess_faces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.faces import Detection
    from openlfr.domain.frames import DisplayTransform, Frame
    from openlfr.ports import FaceDetector

    InputSizeFor = Callable[[int, int], tuple[int, int]]

GOOD_WIDTH, LEAST_WIDTH = 48.0, 32.0
"""Face width in source pixels at which everything is matched, and below which little is."""

SOFT = 0.30
"""Sharpness below which faces are blurred: photos of LFW have 0.34 and more, the same under a
Gaussian of 4 pixels 0.27 (`EnrolmentRules`)."""

POOR_EXPOSURE = 0.5
DARK, BRIGHT = 40.0, 215.0
_SAME_FACE = 0.4
_ENOUGH = 0.95
_FEW = 10
_SIDES = (640, 960, 1280, 1600, 1920, 2560, 3200, 3840)


class CheckedSource(Protocol):
    """What is asked of a camera beside its frames."""

    @property
    def start(self) -> datetime:
        """When a file's first frame was captured."""
        ...

    @property
    def start_origin(self) -> StartOrigin:
        """Where that comes from."""
        ...

    @property
    def shown(self) -> DisplayTransform | None:
        """What is done to its pictures."""
        ...

    @property
    def unreadable(self) -> int:
        """Frames so far that could not be decoded."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What could not be read."""
        ...


@dataclass(frozen=True, slots=True)
class CameraCheck:
    """What a camera shows.

    Attributes:
        width, height: Of its pictures, pixels.
        fps: Of the source itself; None where it has none.
        frames: How many were looked at.
        light: Mean luminance, 0 to 255.
        input_size: (width, height) at which the detector looks.
        faces: Found at full resolution.
        usable: Of those, at least `LEAST_WIDTH` wide.
        seen: Of the usable ones, how many are found at `input_size`.
        face_width: Median in source pixels; 0 without faces.
        eye_distance: Median in source pixels; 0 without faces.
        sharpness, exposure: Medians over the usable faces, 0 to 1; 0 without them.
        start, start_origin: From when a file's times count, and where that comes from; None where
            it is not said.
        shown: What is done to its pictures before they are looked at; None where that is nothing
            but EXIF.
        unreadable: Frames that could not be decoded.
        problems: What could not be read, a sentence each.
        advised_input: Longer side at which nearly all usable faces are found, where it is not
            the one that is set; None if that one does, or none would.
        advice: What to do, most important first; empty if all is well.
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


def check_camera(
    frames: Iterable[Frame],
    detector: FaceDetector,
    *,
    fps: float | None,
    input_size_for: InputSizeFor,
    limit: int = 30,
) -> CameraCheck:
    """Look at some frames of a camera.

    Nothing is embedded, searched or kept: faces are only located and measured.

    Args:
        frames: Of one camera; they should be apart in time, so that different people are seen.
        detector: The one that the pipeline uses.
        fps: The source's own rate.
        input_size_for: The detector's configured input for a picture of (width, height).
        limit: How many frames are looked at.

    Raises:
        BadInput: There is no frame.
    """
    seen = _Seen()
    for frame in islice(frames, limit):
        height, width = frame.image.shape[:2]
        seen.add(frame.image, detector, input_size_for(width, height))
    if not seen.frames:
        raise BadInput("the camera shows no frame")
    return seen.check(fps)


def with_source(
    check: CameraCheck, source: CheckedSource, problems: Sequence[str] = ()
) -> CameraCheck:
    """Add what the source itself says: its start, and how its pictures want to be shown.

    Args:
        check: What was seen of it.
        source: The camera.
        problems: What else went wrong with it.
    """
    check = replace(
        check,
        start=source.start,
        start_origin=source.start_origin,
        shown=source.shown,
        unreadable=source.unreadable,
        problems=(*source.problems, *problems),
    )
    return replace(check, advice=(*_advice_on_source(check), *check.advice))


def _advice_on_source(check: CameraCheck) -> Iterable[str]:
    if check.start_origin is StartOrigin.ASSUMED:
        yield "recording, time assumed: nothing says when it was filmed; set start"
    yield from check.problems
    shown = check.shown
    if shown is None:
        return
    if shown.interlaced:
        yield (
            "the picture is interlaced: what moves is mended with half of its lines; let the camera"
            " send progressive pictures if it can"
        )
    if shown.mirrored:
        yield "the film is mirrored: it is turned over, as it asks, before it is looked at"
    if shown.pixel_aspect != 1:
        yield (
            f"its pixels are not square ({shown.pixel_aspect:.2f} times as wide as high): the"
            " picture is rescaled before it is looked at, and boxes are in that picture's pixels"
        )


class _Seen:
    """Measures of the frames so far."""

    def __init__(self) -> None:
        self.frames = 0
        self._light: list[float] = []
        self._widths: list[float] = []
        self._eyes: list[float] = []
        self._sharpness: list[float] = []
        self._exposure: list[float] = []
        self._found: dict[tuple[int, int], int] = {}
        self._size = (0, 0)
        self._input_size = (0, 0)

    def add(
        self, image: NDArray[np.uint8], detector: FaceDetector, input_size: tuple[int, int]
    ) -> None:
        height, width = image.shape[:2]
        self.frames += 1
        input_size = _inside(width, height, input_size)
        self._size, self._input_size = (width, height), input_size
        self._light.append(float(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).mean()))
        (faces,) = detector.detect([image], _fitted(width, height, max(width, height)))
        qualities = assess_faces(image, faces)
        self._widths += [face.box.w for face in faces]
        self._eyes += [quality.eye_distance for quality in qualities]
        usable = [face for face in faces if face.box.w >= LEAST_WIDTH]
        for face, quality in zip(faces, qualities, strict=True):
            if face.box.w >= LEAST_WIDTH:
                self._sharpness.append(quality.sharpness)
                self._exposure.append(quality.exposure)
        if usable:
            others = [_fitted(width, height, s) for s in _SIDES if s < max(width, height)]
            for size in {input_size, *others}:
                (again,) = detector.detect([image], size)
                self._found[size] = self._found.get(size, 0) + _matched(usable, again)

    def check(self, fps: float | None) -> CameraCheck:
        usable = len(self._sharpness)
        seen = self._found.get(self._input_size, 0)
        advised = self._advised_input(usable, seen)
        width, height = self._size
        check = CameraCheck(
            width=width,
            height=height,
            fps=fps,
            frames=self.frames,
            light=_median(self._light),
            input_size=self._input_size,
            faces=len(self._widths),
            usable=usable,
            seen=seen,
            face_width=_median(self._widths),
            eye_distance=_median(self._eyes),
            sharpness=_median(self._sharpness),
            exposure=_median(self._exposure),
            advised_input=advised,
            advice=(),
        )
        return _advised(check)

    def _advised_input(self, usable: int, seen: int) -> int | None:
        """The smallest larger input that finds nearly all usable faces."""
        if not usable or seen >= _ENOUGH * usable:
            return None
        full = _fitted(*self._size, max(self._size))
        sizes = sorted({**self._found, full: usable}.items())
        enough = [max(s) for s, n in sizes if n >= _ENOUGH * usable and s > self._input_size]
        return enough[0] if enough else None


def _advised(check: CameraCheck) -> CameraCheck:
    return replace(check, advice=tuple(_advice(check)))


def _advice(check: CameraCheck) -> Iterable[str]:
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
        yield f"only {check.faces} faces were seen, so take the figures about them with care"


def _matched(wanted: Sequence[Detection], found: Sequence[Detection]) -> int:
    """How many of the wanted faces are among the found ones."""
    return sum(any(w.box.iou(f.box) > _SAME_FACE for f in found) for w in wanted)


def _fitted(width: int, height: int, longer_side: int) -> tuple[int, int]:
    """The picture's size scaled to a longer side, as multiples of 32."""
    scale = longer_side / max(width, height)
    return _multiple(width * scale), _multiple(height * scale)


def _inside(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """What of a box the picture fills when it is fitted into it, as multiples of 32."""
    scale = min(box[0] / width, box[1] / height)
    return min(box[0], _multiple(width * scale)), min(box[1], _multiple(height * scale))


def _multiple(side: float) -> int:
    return max(32, -(-round(side) // 32) * 32)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0
