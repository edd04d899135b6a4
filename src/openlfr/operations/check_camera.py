"""Checks whether a camera's picture is good enough for the models.

Faces are detected twice: at the camera's full resolution, to find all faces of the picture, and at
the detector's configured input, to find the faces that the pipeline would find. The difference is
measured, not computed from the lens.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.operations.camera_advice import (
    MIN_WIDTH_PX,
    CameraCheck,
    list_advice,
    list_source_advice,
)
from openlfr.stages.assess import assess_faces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.faces import Detection
    from openlfr.domain.frames import DisplayTransform, Frame, StartOrigin
    from openlfr.ports import FaceDetector

    InputSizeFor = Callable[[int, int], tuple[int, int]]

_SAME_FACE_IOU = 0.4
_MIN_SHARE = 0.95  # share of usable faces that a large enough input must find
_SIDES = (640, 960, 1280, 1600, 1920, 2560, 3200, 3840)


class CheckedSource(Protocol):
    """A camera's properties that a check needs beside its frames."""

    @property
    def start(self) -> datetime:
        """Capture time of a file's first frame."""
        ...

    @property
    def start_origin(self) -> StartOrigin:
        """Origin of the start."""
        ...

    @property
    def display_transform(self) -> DisplayTransform | None:
        """Transformation of the pictures before analysis."""
        ...

    @property
    def unreadable(self) -> int:
        """Number of frames so far that could not be decoded."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """Sentences about unreadable parts."""
        ...


def check_camera(
    frames: Iterable[Frame],
    detector: FaceDetector,
    *,
    fps: float | None,
    input_size_for: InputSizeFor,
    limit: int = 30,
) -> CameraCheck:
    """Examine some frames of a camera.

    Faces are only located and measured; no face is embedded, searched or stored.

    Args:
        frames: Frames of one camera, some time apart, so that they show different people.
        detector: The pipeline's detector.
        fps: Frame rate of the source; None if unknown.
        input_size_for: Returns the detector's configured input for a picture of (width, height).
        limit: Number of frames to examine.

    Raises:
        BadInput: There is no frame.
    """
    measurements = _Measurements()
    for frame in islice(frames, limit):
        height, width = frame.image.shape[:2]
        measurements.add(frame.image, detector, input_size_for(width, height))
    if not measurements.frames:
        raise BadInput("the camera shows no frame")
    return measurements.summarise(fps)


def add_source_facts(
    check: CameraCheck, source: CheckedSource, problems: Sequence[str] = ()
) -> CameraCheck:
    """Add facts about the source: its start, the transformation of its pictures, its problems.

    Args:
        check: Measurements of the frames.
        source: The camera.
        problems: Further problems of the camera.
    """
    check = replace(
        check,
        start=source.start,
        start_origin=source.start_origin,
        shown=source.display_transform,
        unreadable=source.unreadable,
        problems=(*source.problems, *problems),
    )
    return replace(check, advice=(*list_source_advice(check), *check.advice))


class _Measurements:
    """Measurements of the frames so far."""

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
        usable = [face for face in faces if face.box.w >= MIN_WIDTH_PX]
        for face, quality in zip(faces, qualities, strict=True):
            if face.box.w >= MIN_WIDTH_PX:
                self._sharpness.append(quality.sharpness)
                self._exposure.append(quality.exposure)
        if usable:
            others = [_fitted(width, height, s) for s in _SIDES if s < max(width, height)]
            for size in {input_size, *others}:
                (again,) = detector.detect([image], size)
                self._found[size] = self._found.get(size, 0) + _count_matched(usable, again)

    def summarise(self, fps: float | None) -> CameraCheck:
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
        return replace(check, advice=tuple(list_advice(check)))

    def _advised_input(self, usable: int, seen: int) -> int | None:
        """Return the longer side of the smallest larger input that detects nearly all usable faces.

        None if the present input does, or if no larger input does.
        """
        if not usable or seen >= _MIN_SHARE * usable:
            return None
        full = _fitted(*self._size, max(self._size))
        sizes = sorted({**self._found, full: usable}.items())
        enough = [max(s) for s, n in sizes if n >= _MIN_SHARE * usable and s > self._input_size]
        return enough[0] if enough else None


def _count_matched(usable: Sequence[Detection], detected: Sequence[Detection]) -> int:
    """Count the usable faces with a detected face at the same place."""
    return sum(any(u.box.iou(d.box) > _SAME_FACE_IOU for d in detected) for u in usable)


def _fitted(width: int, height: int, longer_side: int) -> tuple[int, int]:
    """Scale the picture's size to a longer side, as multiples of 32."""
    scale = longer_side / max(width, height)
    return _multiple(width * scale), _multiple(height * scale)


def _inside(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """Scale the picture's size to fit into a box (width, height), as multiples of 32."""
    scale = min(box[0] / width, box[1] / height)
    return min(box[0], _multiple(width * scale)), min(box[1], _multiple(height * scale))


def _multiple(side: float) -> int:
    return max(32, -(-round(side) // 32) * 32)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0
