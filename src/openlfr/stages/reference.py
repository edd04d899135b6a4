"""Reference: the template of an enrolled photo, made of a near and a far view, both also mirrored.

Enrolled photos are sharp, and faces in a street are small, so the template of the photo alone is
far from every probe. The mean of several views is nearer to the templates of camera pictures. On
hard streets it finds more people with as many false alerts, on easy streets as many
(docs/adr/0022). Matching enrolled pictures to the cameras' quality is a known method: Li and
others, "Face Recognition in Low Quality Images: A Survey", arXiv:1805.11519.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.ports import FaceEmbedder

FAR = 28
"""Width in pixels of the far view: some 9 pixels between the eyes, slightly above the least of a
 search (`ProbeRules.min_eye_distance`)."""
NAME = "near-and-far"
"""Part of `GalleryFacts.alignment`, so that these are not mixed with templates of photos alone."""
_WEIGHTS = np.array([3, 3, 1, 1], np.float32)[:, None, None]
"""Weights of the views. More weight on the far views finds more people on hard streets and fewer in
sharp photos."""


def reference_templates(faces: NDArray[np.uint8], embedder: FaceEmbedder) -> NDArray[np.float32]:
    """Make the templates of enrolled photos.

    Args:
        faces: (n, side, side, 3) uint8 BGR, aligned.
        embedder: The embedder of the views.

    Returns:
        (n, dimension) float32, each row L2-normalised.
    """
    return fuse_views(embedder.embed(views(faces)))


def views(faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The four views of each face: all near ones, these mirrored, all far ones, these mirrored.

    Returns:
        (4 n, side, side, 3) uint8.
    """
    far = np.stack([_from_afar(face) for face in faces])
    return np.concatenate([faces, faces[:, :, ::-1], far, far[:, :, ::-1]])


def fuse_views(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weighted mean of each face's four views.

    Args:
        templates: (4 n, dimension) float32, L2-normalised, in the order of `views`.

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
