"""Examines a photo for enrolment: chooses the face, checks its quality, computes its template.

The face nearest the picture's middle is chosen. If another face is as large and as central, the
photo is refused, since the choice would be a guess.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box, Detection
from openlfr.operations.pictures import read_picture
from openlfr.stages.align import align
from openlfr.stages.assess import assess
from openlfr.stages.mask import mask_photo
from openlfr.stages.obscure import cut_picture, shrink
from openlfr.stages.reference import reference_templates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from openlfr.domain.evidence import Evidence
    from openlfr.domain.faces import Quality
    from openlfr.ports import FaceDetector, FaceEmbedder

RIVAL_AREA_SHARE = 0.6
"""Another face counts as equally large if its area is at least this share of the chosen face's."""

RIVAL_DISTANCE_SHARE = 0.25
"""Another face counts as equally central if its additional distance from the middle is below this
share of the picture's shorter side. Both rules together refuse 0.42% of the photos of LFW (14 of
3,318, every second photo of the shared half; `pytest tests/integration/test_enrolment_rules.py -s`
measures the share)."""

_INPUT_SIDES = (320, 640)  # pixels; YuNet detects faces of 20 to 300 pixels in its input
_LARGEST_INPUT = 1280  # pixels; tried last, for a small face in a large picture
_MIN_DETECTION = 0.6
_MIN_FRONTAL = 0.1  # a photo with a lower `Quality.frontal` gets a warning; 1.7% of LFW's photos
_MAX_REFERENCE_FACE = 512  # pixels; a larger reference face would not be more useful


@dataclass(frozen=True, slots=True)
class EnrolmentRules:
    """Minimum quality of a photo for enrolment.

    The defaults were measured on LFW, whose photos all pass (lowest sharpness 0.34, exposure 0.69,
    score 49). A Gaussian blur of 4 pixels reduces the similarity to the person's other photos from
    0.64 to 0.44, and the sharpness to 0.27. Brightening 2.5 times reduces the similarity to 0.43,
    and the exposure to 0.26. The poses of LFW hardly reduce the similarity, so a pose only causes a
    warning.

    Attributes:
        min_eye_distance: Pixels between the eyes.
        min_quality: 0 to 100.
        min_sharpness, min_exposure: 0 to 1, as in `Quality`.
    """

    min_eye_distance: float = 24.0
    min_quality: float = 20.0
    min_sharpness: float = 0.25
    min_exposure: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class ExaminedPhoto:
    """A photo that may be enrolled.

    Attributes:
        image: (h, w, 3) uint8 BGR, the whole photo.
        content: The bytes of the photo's file.
        face: The chosen face.
        others: All other detected faces.
        quality: Quality of the chosen face.
        template: (dimension,) float32, L2-normalised.
        warnings: Sentences for the person who imports.
    """

    image: NDArray[np.uint8]
    content: bytes
    face: Detection
    others: tuple[Detection, ...]
    quality: Quality
    template: NDArray[np.float32]
    warnings: tuple[str, ...]

    @property
    def picture_hash(self) -> str:
        """sha256 (hex) of the file."""
        return hashlib.sha256(self.content).hexdigest()


def examine(
    path: Path, detector: FaceDetector, embedder: FaceEmbedder, rules: EnrolmentRules
) -> ExaminedPhoto:
    """Choose the face of a photo and compute its template, if the photo is good enough.

    Raises:
        BadInput: The photo cannot be enrolled; the message states the file and the reason.
    """
    image, content = read_picture(path)
    found = find_faces(image, detector)
    if not found:
        raise BadInput(f"{path}: no face was found.")
    face, others = choose_face(found, image.shape[1], image.shape[0], path)
    aligned = align(image, face.landmarks[None])
    (quality,) = assess([face], aligned)
    _refuse_poor(quality, rules, path)
    warnings = []
    if others:
        faces = "another face" if len(others) == 1 else f"{len(others)} other faces"
        warnings.append(f"the picture shows {faces}; the face nearest the middle was chosen")
    if quality.frontal < _MIN_FRONTAL:
        warnings.append("the face is turned away; add a frontal photo if there is one")
    return ExaminedPhoto(
        image=image,
        content=content,
        face=face,
        others=tuple(others),
        quality=quality,
        template=reference_templates(aligned, embedder)[0],
        warnings=tuple(warnings),
    )


def find_faces(image: NDArray[np.uint8], detector: FaceDetector) -> list[Detection]:
    """Detect all faces of a still picture, from very small faces to a face that fills the picture.

    Three inputs are tried until there is a face. First, the picture is scaled to the detector's
    best size. Then, a margin is added, since a face that fills the picture has no outline. Last,
    the picture has its full size, up to 1280 pixels. The result is empty if all three fail.
    """
    height, width = image.shape[:2]
    side = min(max(width, height, _INPUT_SIDES[0]), _INPUT_SIDES[1])
    found = _detect(image, detector, side)
    if not found:
        x, y = width // 2, height // 2
        wide = cv2.copyMakeBorder(image, y, y, x, x, cv2.BORDER_CONSTANT)
        found = [
            Detection(
                Box(d.box.x - x, d.box.y - y, d.box.w, d.box.h),
                d.landmarks - np.array([x, y], np.float32),
                d.score,
            )
            for d in _detect(np.asarray(wide, np.uint8), detector, side)
        ]
    if not found and max(width, height) > side:
        found = _detect(image, detector, min(max(width, height), _LARGEST_INPUT))
    return found


def choose_face(
    found: Sequence[Detection], width: int, height: int, path: Path
) -> tuple[Detection, list[Detection]]:
    """Choose the face nearest the picture's middle; return this face and all other faces.

    Raises:
        BadInput: Another face is as large (`RIVAL_AREA_SHARE`) and as central
            (`RIVAL_DISTANCE_SHARE`).
    """

    def from_middle(face: Detection) -> float:
        x, y = face.box.centre
        return float(np.hypot(x - width / 2, y - height / 2))

    chosen, *others = sorted(found, key=from_middle)
    limit = from_middle(chosen) + RIVAL_DISTANCE_SHARE * min(width, height)
    rivals = [
        face
        for face in others
        if face.box.area >= RIVAL_AREA_SHARE * chosen.box.area and from_middle(face) < limit
    ]
    if rivals:
        raise BadInput(
            f"{path}: {len(rivals) + 1} faces are equally large and central, so the right face is "
            "unclear; crop the picture around the right face."
        )
    return chosen, others


def _detect(image: NDArray[np.uint8], detector: FaceDetector, side: int) -> list[Detection]:
    (found,) = detector.detect([image], (side, side))
    return [face for face in found if face.score >= _MIN_DETECTION]


def _refuse_poor(quality: Quality, rules: EnrolmentRules, path: Path) -> None:
    if quality.eye_distance < rules.min_eye_distance:
        raise BadInput(
            f"{path}: the face is too small, with {quality.eye_distance:.0f} pixels between the "
            f"eyes; {rules.min_eye_distance:.0f} are needed."
        )
    flaws = []
    if quality.sharpness < rules.min_sharpness:
        flaws.append(f"not sharp ({quality.sharpness:.2f}, needed {rules.min_sharpness:.2f})")
    if quality.exposure < rules.min_exposure:
        flaws.append(f"badly exposed ({quality.exposure:.2f}, needed {rules.min_exposure:.2f})")
    if not flaws and quality.score < rules.min_quality:
        flaws.append(f"of poor quality ({quality.score:.0f}, needed {rules.min_quality:.0f})")
    if flaws:
        raise BadInput(f"{path}: the face is {' and '.join(flaws)}.")


def make_reference_picture(examined: ExaminedPhoto) -> Evidence:
    """Make the stored reference picture: the enrolled face in clear, all other parts opaque.

    The photo is first shrunk, so that the face is at most `_MAX_REFERENCE_FACE` pixels long.

    Raises:
        BadInput: Other faces cover the enrolled face.
    """
    box = examined.face.box
    scale = min(1.0, _MAX_REFERENCE_FACE / max(box.w, box.h))
    image = examined.image
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    boxes = [Box(*(value * scale for value in d.box)) for d in (examined.face, *examined.others)]
    masked = mask_photo(cut_picture(image, shrink(image), boxes[0], boxes[1:]))
    if masked is None:
        raise BadInput("another face covers the one nearest the picture's middle")
    return masked
