"""Mask: make the evidence of a sighting from a track's picture of the alerted face.

The alerted face is shown with a margin, since people compare ears, hairline and chin. Where another
face or its margin overlaps this area, the coarse cells of the scene are shown instead, even if the
alerted face is in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.evidence import Evidence
from openlfr.domain.faces import Box
from openlfr.stages.obscure import clip_to_pixels, enlarge, mosaic, obscure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.domain.evidence import FacePicture, Scene
    from openlfr.stages.overlooked import PossibleFace

MIN_CLEAR = 0.5
"""Minimum share of the alerted face's box that must be clear, so that a person can judge it."""

MIN_SCORE = 0.6
"""Minimum confidence at which a possible face in the shrunk frame hides a part of the alerted face.
Below this confidence most possible faces are no faces, and would hide the face that a person must
judge. A possible face found at source resolution hides a part at any confidence."""


def mask(picture: FacePicture, possible_faces: Sequence[PossibleFace]) -> Evidence | None:
    """Mask all faces of a picture except the alerted face.

    Args:
        picture: The track's picture of the alerted face.
        possible_faces: Result of `find_overlooked` for the picture.

    Returns:
        The evidence; None if other faces cover more than 1 - `MIN_CLEAR` of the alerted face's box.
    """
    boxes = [face.box for face in possible_faces]
    hiding = [
        box
        for box, score, is_near in possible_faces
        if (is_near or score >= MIN_SCORE) and not _covers(box, picture.box)
    ]
    scene = obscure(picture.frame, [picture.box, *picture.others, *boxes])
    return _make_evidence(picture, hiding, scene)


def mask_photo(picture: FacePicture) -> Evidence | None:
    """Mask an enrolled photo around its face; return None in the same case as `mask`.

    The scene is not needed, so the whole photo is reduced to as few cells as one face. Other faces
    are then unrecognisable, and a second search for them is not necessary.
    """
    photo = Box(0, 0, picture.frame.width, picture.frame.height)
    return _make_evidence(picture, (), obscure(picture.frame, [photo]))


def _make_evidence(picture: FacePicture, hiding: Sequence[Box], scene: Scene) -> Evidence | None:
    if overlap_share(picture, hiding) > 1 - MIN_CLEAR:
        return None
    left, top = int(picture.area.x - picture.around.x), int(picture.area.y - picture.around.y)
    width, height = int(picture.area.w), int(picture.area.h)
    face = picture.near[top : top + height, left : left + width].copy()
    hidden = _find_overlap(picture.area, [*picture.others, *hiding])
    face[hidden] = mosaic(scene, picture.area)[hidden]
    return Evidence(scene, face, picture.area)


def _covers(box: Box, face: Box) -> bool:
    """Return whether a box contains a whole face.

    Such a box is not a face: a face in front would have hidden the face inside.
    """
    right, bottom = box.x + box.w >= face.x + face.w, box.y + box.h >= face.y + face.h
    return box.x <= face.x and box.y <= face.y and right and bottom


def overlap_share(picture: FacePicture, hiding: Sequence[Box] = ()) -> float:
    """Return the share of the face's box, within the frame, that other faces cover, 0 to 1."""
    area = clip_to_pixels(picture.box, picture.frame.width, picture.frame.height)
    if area is None:
        return 1.0
    left, top, right, bottom = area
    box = Box(left, top, right - left, bottom - top)
    return float(_find_overlap(box, [*picture.others, *hiding]).mean())


def is_hidden(picture: FacePicture) -> bool:
    """Return whether the detected faces cover so much of the face that it cannot be shown."""
    return overlap_share(picture) > 1 - MIN_CLEAR


def _find_overlap(area: Box, others: Sequence[Box]) -> NDArray[np.bool_]:
    """Return, for each pixel of an area, whether another face or its margin covers it, (h, w)."""
    left, top, width, height = (int(value) for value in area)
    overlapped = np.zeros((height, width), np.bool_)
    for other in others:
        x, y, w, h = enlarge(other)
        cut = clip_to_pixels(Box(x - left, y - top, w, h), width, height)
        if cut is not None:
            overlapped[cut[1] : cut[3], cut[0] : cut[2]] = True
    return overlapped
