"""Mask: from the picture that a track keeps of a face to the evidence of its sighting, if any.

The alerted face is shown with a margin, since people compare ears, hairline and chin. Where another
face or its margin overlaps, the scene's cells are shown, even if the alerted face is in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.evidence import Evidence
from openlfr.domain.faces import Box
from openlfr.stages.obscure import grown, mosaic, obscure, whole_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.evidence import FacePicture, Scene
    from openlfr.stages.overlooked import PossibleFace

LEAST_SHOWN = 0.5
"""Least share of the alerted face's box that must be clear, so that a person can decide on it."""

SURE = 0.6
"""Confidence from which a possible face in the shrunk frame is masked in the alerted face's margin
too. Below this confidence most are no faces, and would hide the face that a person must judge. A
possible face found at source resolution around the alerted face is masked at any confidence."""


def mask(picture: FacePicture, found: Sequence[PossibleFace]) -> Evidence | None:
    """Mask all faces of a picture but the alerted one.

    Args:
        picture: The picture that a track kept of the alerted face.
        found: The possible faces that `find_overlooked` found in the picture.

    Returns:
        None where other faces cover so much of the alerted one that no picture is shown.
    """
    boxes = [face.box for face in found]
    sure = [
        box
        for box, score, near in found
        if (near or score >= SURE) and not _covers(box, picture.box)
    ]
    return _evidence(picture, sure, obscure(picture.frame, [picture.box, *picture.others, *boxes]))


def mask_photo(picture: FacePicture) -> Evidence | None:
    """Mask an enrolled photo around its face; None as for `mask`.

    Only the face is needed, so the whole photo is reduced to as many cells as a face has. Then it
    need not be searched again for other faces.
    """
    photo = Box(0, 0, picture.frame.width, picture.frame.height)
    return _evidence(picture, (), obscure(picture.frame, [photo]))


def _evidence(picture: FacePicture, found: Sequence[Box], scene: Scene) -> Evidence | None:
    if overlap_share(picture, found) > 1 - LEAST_SHOWN:
        return None
    left, top = int(picture.area.x - picture.around.x), int(picture.area.y - picture.around.y)
    width, height = int(picture.area.w), int(picture.area.h)
    face = picture.near[top : top + height, left : left + width].copy()
    hidden = _overlapped(picture.area, [*picture.others, *found])
    face[hidden] = mosaic(scene, picture.area)[hidden]
    return Evidence(scene, face, picture.area)


def _covers(box: Box, face: Box) -> bool:
    """Whether a box contains all of a face. It is no face then, since it would hide the other."""
    right, bottom = box.x + box.w >= face.x + face.w, box.y + box.h >= face.y + face.h
    return box.x <= face.x and box.y <= face.y and right and bottom


def overlap_share(picture: FacePicture, found: Sequence[Box] = ()) -> float:
    """Share of the picture's face box, within the frame, that other faces cover, 0 to 1."""
    area = whole_pixels(picture.box, picture.frame.width, picture.frame.height)
    if area is None:
        return 1.0
    left, top, right, bottom = area
    box = Box(left, top, right - left, bottom - top)
    return float(_overlapped(box, [*picture.others, *found]).mean())


def is_hidden(picture: FacePicture) -> bool:
    """Whether the known faces cover so much of the face that no picture can be shown."""
    return overlap_share(picture) > 1 - LEAST_SHOWN


def _overlapped(area: Box, others: Sequence[Box]) -> NDArray[np.bool_]:
    """Whether another face or its margin covers each pixel of an area, (h, w) bool."""
    left, top, width, height = (int(value) for value in area)
    overlapped = np.zeros((height, width), np.bool_)
    for other in others:
        x, y, w, h = grown(other)
        cut = whole_pixels(Box(x - left, y - top, w, h), width, height)
        if cut is not None:
            overlapped[cut[1] : cut[3], cut[0] : cut[2]] = True
    return overlapped
