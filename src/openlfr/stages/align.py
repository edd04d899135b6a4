"""Align: turn and scale a face so that its landmarks are where the embedder expects them.

The five target points are from ArcFace's 112x112 alignment (Deng et al., 2019), which SFace shares.
The transform is the similarity that minimises the squared distances between landmarks and target
points (Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
1991). In the plane this transform has a closed form. With points z and targets w as complex numbers
around their means, it is z -> a*z, with a = sum(conj(z) * w) / sum(|z|^2). The argument of a is the
angle of the turn, and the absolute value of a is the scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "arcface-112"
SIDE = 112
TARGET = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""(5, 2) pixels: eyes, nose tip, mouth corners; each pair from left to right in the picture."""

_TARGET_MEAN = TARGET.mean(axis=0)
_TARGET_COMPLEX = (TARGET - _TARGET_MEAN) @ np.array([1, 1j])


def align(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Cut aligned faces from a picture.

    Args:
        image: (h, w, 3) uint8 BGR.
        landmarks: (n, 5, 2) source pixels, in the order of `Detection.landmarks`; n may be 0.

    Returns:
        (n, 112, 112, 3) uint8 BGR; black outside the picture.

    Raises:
        BadInput: The landmarks of a face coincide or are not finite.
    """
    faces = np.empty((len(landmarks), SIDE, SIDE, 3), np.uint8)
    for face, matrix in zip(faces, compute_transforms(landmarks), strict=True):
        cv2.warpAffine(image, matrix, (SIDE, SIDE), dst=face)
    return faces


def compute_transforms(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the transforms from source pixels to aligned pixels.

    Args:
        landmarks: (n, 5, 2) source pixels.

    Returns:
        (n, 2, 3) affine matrices.

    Raises:
        BadInput: The landmarks of a face coincide or are not finite.
    """
    points = np.asarray(landmarks, np.float64).reshape(-1, 5, 2)
    means = points.mean(axis=1)
    z = (points - means[:, None]) @ np.array([1, 1j])
    spread = (z.real**2 + z.imag**2).sum(axis=1)
    if not (np.isfinite(spread) & (spread > 0)).all():
        raise BadInput("A face's five landmarks coincide or are not finite; it cannot be aligned.")
    a = (z.conj() @ _TARGET_COMPLEX) / spread
    matrices = np.empty((len(points), 2, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = a.real
    matrices[:, 1, 0] = a.imag
    matrices[:, 0, 1] = -a.imag
    matrices[:, :, 2] = _TARGET_MEAN - (matrices[:, :, :2] @ means[:, :, None])[:, :, 0]
    return matrices
