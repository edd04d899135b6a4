"""Reference: compute the template of an enrolled photo from a near and a far view, also mirrored.

Enrolled photos are sharp, and faces in a street are small. So the template of the photo alone is
not very similar to any probe. The mean of several views is more similar to the templates of camera
pictures. With equally many false alerts the mean finds more people on hard streets, and as many on
easy streets (docs/adr/0022). Adapting enrolled pictures to the cameras' quality is known: Li
and others, "Face Recognition in Low Quality Images: A Survey", arXiv:1805.11519.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.ports import FaceEmbedder

FAR_PX = 28
"""Width of the far view in pixels. Its eyes are about 9 pixels apart, slightly more than the
minimum for a search (`ProbeRules.min_eye_distance`)."""
NAME = "near-and-far"
"""Part of `GalleryFacts.alignment`, so that these templates are not mixed with templates of photos
alone."""
_WEIGHTS = np.array([3, 3, 1, 1], np.float32)[:, None, None]
"""Weights of the views, in the order of `make_views`. More weight on the far views would find more
people on hard streets, and fewer in sharp pictures."""


def reference_templates(faces: NDArray[np.uint8], embedder: FaceEmbedder) -> NDArray[np.float32]:
    """Compute the templates of enrolled photos.

    Args:
        faces: (n, side, side, 3) uint8 BGR, aligned.
        embedder: Embedder for the views.

    Returns:
        (n, dimension) float32, each row L2-normalised.
    """
    return fuse_views(embedder.embed(make_views(faces)))


def make_views(faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make four views of each face.

    Returns:
        (4 n, side, side, 3) uint8: the n near views, the same mirrored, the n far views, the same
        mirrored.
    """
    far = np.stack([_make_far_view(face) for face in faces])
    return np.concatenate([faces, faces[:, :, ::-1], far, far[:, :, ::-1]])


def fuse_views(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weighted mean of the four views of each face.

    Args:
        templates: (4 n, dimension) float32, L2-normalised, in the order of `make_views`.

    Returns:
        (n, dimension) float32, each row L2-normalised.
    """
    mean = (_WEIGHTS * np.stack(np.split(templates, len(_WEIGHTS)))).sum(axis=0)
    lengths = np.linalg.norm(mean, axis=1, keepdims=True)
    return np.asarray(mean / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def _make_far_view(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = face.shape[0]
    small = cv2.resize(face, (FAR_PX, FAR_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
