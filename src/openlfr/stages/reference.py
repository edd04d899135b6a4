"""A reference's template: the photo as it is and as a distant camera would show it, both mirrored.

Enrolled photos are sharp, and the faces of a street are small, so a template of the photo alone
lies on the far side of that difference from every probe. A mean of views of the photo lies nearer
to what cameras make of the person. On hard streets it finds more people at the same number of
false lines, on easy ones as many (docs/adr/0022). Matching what is enrolled to what cameras see is
an old remedy: Li and others, "Face Recognition in Low Quality Images: A Survey", arXiv:1805.11519.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.ports import FaceEmbedder

FAR = 28
"""Width in pixels of an aligned face as a distant camera shows it: some 9 between the eyes, which
is near the least that a track is searched with (`ProbeRules.min_eye_distance`)."""
NAME = "near-and-far"
"""Stands in `GalleryFacts.alignment`: templates of photos alone are not compared with these."""
_WEIGHTS = np.array([3, 3, 1, 1], np.float32)[:, None, None]
"""Of the views. More weight on the far ones finds more people on hard streets and fewer in sharp
photos."""


def reference_templates(faces: NDArray[np.uint8], embedder: FaceEmbedder) -> NDArray[np.float32]:
    """Make the templates of photos that are enrolled.

    Args:
        faces: (n, side, side, 3) uint8 BGR, aligned.
        embedder: Makes the template of each view.

    Returns:
        (n, dimension) float32, each row L2-normalised.
    """
    return fuse_views(embedder.embed(views(faces)))


def views(faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every aligned face as it is, then all mirrored, all as from afar, and these mirrored.

    Returns:
        (4 n, side, side, 3) uint8.
    """
    far = np.stack([_from_afar(face) for face in faces])
    return np.concatenate([faces, faces[:, :, ::-1], far, far[:, :, ::-1]])


def fuse_views(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weighted mean of each face's four views.

    Args:
        templates: (4 n, dimension) float32, L2-normalised, of `views`.

    Returns:
        (n, dimension) float32, each row L2-normalised.
    """
    mean = (_WEIGHTS * np.stack(np.split(templates, len(_WEIGHTS)))).sum(axis=0)
    lengths = np.linalg.norm(mean, axis=1, keepdims=True)
    return np.asarray(mean / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def _from_afar(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = face.shape[0]
    small = cv2.resize(face, (FAR, FAR), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
