"""Values of face analysis: boxes, detections, qualities and candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONTROL = "control"
"""The category of references of control subjects."""


class Box(NamedTuple):
    """A rectangle in source pixels: left, top, width, height; it may extend beyond the picture."""

    x: float
    y: float
    w: float
    h: float

    @property
    def area(self) -> float:
        """Width times height, in square pixels."""
        return self.w * self.h

    @property
    def centre(self) -> tuple[float, float]:
        """The middle point (x, y)."""
        return self.x + self.w / 2, self.y + self.h / 2

    def iou(self, other: Box) -> float:
        """Return the intersection over union, 0 to 1 (Jaccard index)."""
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        if w <= 0 or h <= 0:
            return 0.0
        return w * h / (self.area + other.area - w * h)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that was detected in a frame.

    Attributes:
        box: Box in source pixels.
        landmarks: (5, 2) float32, source pixels: right eye, left eye, nose tip, right mouth corner,
            left mouth corner. The person's right is on the left of the picture.
        score: The detector's confidence, 0 to 1.
    """

    box: Box
    landmarks: NDArray[np.float32]
    score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Usefulness of a face as a probe or reference, in the terms of ISO/IEC 29794-5.

    Attributes:
        score: Unified quality, 0 (useless) to 100 (ISO/IEC 29794-1's range).
        eye_distance: Inter-eye distance in source pixels.
        sharpness: Sharpness, 0 to 1.
        frontal: Pose, from 0 (profile) to 1 (frontal).
        exposure: Share of useful luminance, 0 to 1.
    """

    score: float
    eye_distance: float
    sharpness: float
    frontal: float
    exposure: float


class Candidate(NamedTuple):
    """One result of a search: a subject, the subject's best reference, and the score.

    Attributes:
        subject: The listed subject.
        reference_id: The subject's most similar reference.
        score: Cosine similarity; it does not depend on other listed people.
        watchlist: The list of the reference.
        category: Why the reference is listed: wanted, missing, control ...
    """

    subject: str
    reference_id: str
    score: float
    watchlist: str
    category: str

    @property
    def is_control(self) -> bool:
        """True for a control subject: a person who consented to be listed for tests."""
        return self.category == CONTROL
