"""The probe and suspect faces of `benchmarks.masking`, read once and stored.

The photos are `images/NAME/*.jpg`, such as Labeled Faces in the Wild in OPENLFR_TEST_DATA. From
each photo the face nearest its middle is used: box, landmarks, and the head cut out upright and
small (`HEAD`). An attacker needs no more of a clear picture to compute its masked version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.bootstrap import load_detector
from openlfr.stages.align import compute_transforms

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HEAD = 48
"""Side of a head that was cut out, pixels."""

HEAD_SPAN = 208
"""What a head shows: so many pixels of the aligned face's 112 x 112 scale, the face amid them."""

HEAD_CENTRE = (56.0, 68.0)
"""Its middle in the aligned face: that of the detector's boxes is (56, 65) on average."""

MOST_PHOTOS = 6
"""Of each person; a few people have hundreds."""

MOST_SINGLE = 600
"""People with one photo; they say how people differ, and no more."""

_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """One face for each photo, in the order of people and photos.

    Attributes:
        names: (n,) the person of each face.
        paths: (n,) paths relative to the set.
        boxes: (n, 4) float32: left, top, width, height in the photo.
        landmarks: (n, 5, 2) float32, in the photo.
        heads: (n, HEAD, HEAD, 3) uint8 BGR.
    """

    names: NDArray[np.str_]
    paths: NDArray[np.str_]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    heads: NDArray[np.uint8]


def to_head(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (n, 2, 3) transforms from a picture's pixels to a head's."""
    matrices = compute_transforms(landmarks)
    scale = HEAD / HEAD_SPAN
    matrices *= scale
    matrices[:, :, 2] += HEAD / 2 - np.array(HEAD_CENTRE) * scale
    return matrices


def load_faces(folder: Path, cache: Path) -> Faces:
    """Return the faces of a set, from the cache if it was read before.

    Args:
        folder: A folder with `images/NAME/*.jpg`.
        cache: A folder for the result.
    """
    kept = cache / "masking-faces.npz"
    people = [sorted(person.glob("*.jpg")) for person in sorted((folder / "images").iterdir())]
    several = [photos[:MOST_PHOTOS] for photos in people if len(photos) > 1]
    single = [photos for photos in people if len(photos) == 1][:MOST_SINGLE]
    paths = [path for photos in several + single for path in photos]
    relative = np.array([path.relative_to(folder).as_posix() for path in paths])
    if kept.exists():
        with np.load(kept) as stored:
            if np.array_equal(stored["all_paths"], relative):
                return Faces(*(stored[name] for name in Faces.__slots__))
    detector = load_detector()
    rows: list[tuple[str, str, list[float], NDArray[np.float32], NDArray[np.uint8]]] = []
    for start in range(0, len(paths), _BATCH):
        images = [np.asarray(cv2.imread(str(path))) for path in paths[start : start + _BATCH]]
        found = detector.detect(images, (320, 320))
        for path, image, those in zip(paths[start:], images, found, strict=False):
            middle = np.array(image.shape[1::-1]) / 2
            face = min(those, key=lambda d: float(np.hypot(*(d.box.centre - middle))), default=None)
            if face is None:
                continue
            marks = face.landmarks[None]
            size = (HEAD, HEAD)
            # Four times as large and then averaged, against aliasing.
            large = cv2.warpAffine(
                image, to_head(marks)[0] * 4, (HEAD * 4, HEAD * 4), borderMode=cv2.BORDER_REPLICATE
            )
            head = np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.uint8)
            name = path.relative_to(folder).as_posix()
            rows.append((path.parent.name, name, list(face.box), face.landmarks, head))
    names, photos, boxes, landmarks, heads = zip(*rows, strict=True)
    faces = Faces(
        np.array(names), np.array(photos), np.array(boxes, np.float32),
        np.array(landmarks, np.float32), np.array(heads),
    )  # fmt: skip
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(kept, all_paths=relative, **{name: getattr(faces, name) for name in Faces.__slots__})
    return faces
