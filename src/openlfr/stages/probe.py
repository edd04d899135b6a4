"""Choose the probe of a track: its best few faces, fused by quality.

A single face of a distant walker is a poor witness: compression, motion and a turn of the head
spoil one frame and not the next. The quality-weighted mean of the few best templates of a track
is a better one, and it hardly moves when one of them is bad. Faces that disagree with the rest
(someone walked through) are left out first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ProbeRules:
    """When a track is searched, and with which faces.

    The rules look at quality alone, never at a score or the threshold, so that cost follows
    people and a calibration stays honest.

    Attributes:
        faces: How many faces are fused at most.
        min_quality: A face below it is no probe (0 to 100).
        min_eye_distance: Nor is one with fewer pixels between the eyes.
        min_seen: Detections that a track must hold before its first search.
        better: The sum of the held faces' qualities must grow by this factor for a new search.
        better_last: The same for the search at a track's end.
        agree: Least cosine similarity of a face's template to the mean of the others.
    """

    faces: int = 4
    min_quality: float = 15.0
    min_eye_distance: float = 7.0
    min_seen: int = 2
    better: float = 1.5
    better_last: float = 1.1
    agree: float = 0.3


def fuse(
    templates: NDArray[np.float32], qualities: Sequence[float], *, agree: float
) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """The quality-weighted mean of templates that agree.

    While the face that agrees least with the mean of the others stays below `agree`, it is left
    out; of two faces that disagree the better stays.

    Args:
        templates: (n, dimension) float32, L2-normalised, n >= 1.
        qualities: n weights, each > 0.
        agree: Cosine similarity.

    Returns:
        The (dimension,) float32 L2-normalised probe, and the rows that went into it.
    """
    weighted = templates * np.asarray(qualities, np.float32)[:, None]
    kept = list(range(len(templates)))
    while len(kept) > 1:
        rest = weighted[kept].sum(axis=0) - weighted[kept]
        rest /= np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9)
        agreement = (templates[kept] * rest).sum(axis=1)
        if agreement.min() >= agree:
            break
        if len(kept) == 2:
            kept = [max(kept, key=lambda row: qualities[row])]
            break
        del kept[int(agreement.argmin())]
    fused = weighted[kept].sum(axis=0)
    return fused / np.linalg.norm(fused), tuple(kept)
