"""Assess: compute the quality of a face, which is its usefulness for comparison.

ISO/IEC 29794-1 defines quality as the expected usefulness of a sample for comparison. The unified
score predicts this usefulness: 100 times the predicted cosine similarity to the person's own
references. The prediction was fitted by least squares on the measures below (easy street 6, hard
streets 6 and 7). A new fit on all streets of seeds 6 to 10 (`benchmarks/fit_quality.py STREET ...`,
11,878 faces) ranks faces hardly better. Its rank correlation with the truth is 0.854 instead of
0.846 over all faces, and 0.542 instead of 0.532 within passes. So the weights were not changed. The
measures follow the elements of ISO/IEC 29794-5:

- inter-eye distance in source pixels (the fit uses the box size instead, which is less noisy);
- sharpness: deviation of the Laplacian after a Gaussian of 1.5 pixels, divided by the deviation of
  the luminance, in the aligned face; so size, contrast and noise each count once;
- dynamic range: deviation of the luminance in the aligned face;
- pose: position of the nose tip between the eyes (yaw), from the landmarks;
- exposure: share of pixels that are neither nearly black nor nearly white.

Pose and exposure do not improve the prediction on our data, and are not part of the score.
Enrolment checks them separately.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.faces import Quality
from openlfr.stages.align import align

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.faces import Detection

_INNER = (slice(24, 104), slice(20, 92))
"""Rows and columns of the aligned picture that contain the face without background."""

_BLUR = 1.5
_SHARPNESS_AT_HALF = 0.10
"""Value of the measure `sharpness` at which `Quality.sharpness` is 0.5."""

WEIGHTS = {"size": 0.160, "confidence": 0.230, "sharpness": 0.213, "range": 0.107, "one": 0.046}
"""Weights of the measures' logarithms (see `measure_face`), and the constant (`one`)."""


def assess(detections: Sequence[Detection], aligned: NDArray[np.uint8]) -> list[Quality]:
    """Assess aligned faces.

    Args:
        detections: The faces' detections.
        aligned: (n, 112, 112, 3) uint8 BGR, the same faces aligned.

    Returns:
        The quality of each face, in the same order.
    """
    return [_assess_one(d, face) for d, face in zip(detections, aligned, strict=True)]


def assess_faces(image: NDArray[np.uint8], detections: Sequence[Detection]) -> list[Quality]:
    """Align the faces of one picture, and return the quality of each.

    Args:
        image: (h, w, 3) uint8 BGR.
        detections: Faces in the picture; may be empty.
    """
    if not detections:
        return []
    return assess(detections, align(image, np.stack([d.landmarks for d in detections])))


def measure_face(detection: Detection, face: NDArray[np.uint8]) -> dict[str, float]:
    """Compute the four measures from which the unified score is computed, each above 0.

    Args:
        detection: The face's detection.
        face: (112, 112, 3) uint8 BGR, aligned.
    """
    grey = np.asarray(cv2.cvtColor(face[_INNER], cv2.COLOR_BGR2GRAY), np.uint8)
    return _measure_grey(detection, grey)


def _measure_grey(detection: Detection, grey: NDArray[np.uint8]) -> dict[str, float]:
    spread = max(float(cv2.meanStdDev(grey)[1][0, 0]), 1.0)
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _BLUR)
    edges = float(cv2.meanStdDev(cv2.Laplacian(smooth, cv2.CV_32F))[1][0, 0])
    return {
        "size": math.sqrt(max(detection.box.area, 1.0)),
        "confidence": max(detection.score, 1e-3),
        "sharpness": edges / spread + 1e-3,
        "range": spread,
    }


def _assess_one(detection: Detection, face: NDArray[np.uint8]) -> Quality:
    grey = np.asarray(cv2.cvtColor(face[_INNER], cv2.COLOR_BGR2GRAY), np.uint8)
    measures = _measure_grey(detection, grey)
    predicted = WEIGHTS["one"] + sum(
        WEIGHTS[name] * math.log(value) for name, value in measures.items()
    )
    histogram = cv2.calcHist([grey], [0], None, [16], [0, 256])
    eye_distance, frontal = _measure_geometry(detection.landmarks)
    sharpness = measures["sharpness"]
    return Quality(
        score=100 * min(max(predicted, 0.0), 1.0),
        eye_distance=eye_distance,
        sharpness=sharpness / (sharpness + _SHARPNESS_AT_HALF),
        frontal=frontal,
        exposure=1 - float(histogram[0] + histogram[-1]) / grey.size,
    )


def _measure_geometry(landmarks: NDArray[np.float32]) -> tuple[float, float]:
    """Return the inter-eye distance in pixels, and the frontality (1 frontal, 0 a profile)."""
    right, left, nose = landmarks[:3].tolist()
    across = (left[0] - right[0], left[1] - right[1])
    distance = math.hypot(*across)
    if distance < 1e-3:
        return distance, 0.0
    middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    offset = ((nose[0] - middle[0]) * across[0] + (nose[1] - middle[1]) * across[1]) / distance**2
    return distance, max(0.0, 1 - 2 * abs(offset))
