"""Mask: from what a track holds of a frame to the evidence of its sighting, if there can be any.

The alerted face is shown with a margin, since people compare ears, hairline and chin. Whatever of
that another face reaches into, the other's own margin included, is replaced by the scene's cells,
whoever stands in front.
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

    from openlfr.domain.evidence import HeldPicture, Scene
    from openlfr.stages.overlooked import Glimpse

LEAST_SHOWN = 0.5
"""Share of the alerted face's box that must be left in clear: nobody is to decide on less."""

SURE = 0.6
"""Confidence from which what was found in the shrunk frame is masked within the alerted face's
margin too. Below it most are no faces, and would hide the one that is to be judged. What was found
around that face at source resolution is masked whatever the confidence."""


def masked(held: HeldPicture, found: Sequence[Glimpse]) -> Evidence | None:
    """Mask a held picture.

    Args:
        held: The picture.
        found: What `overlooked` has found in it besides the known faces.

    Returns:
        None where other faces cover so much of the alerted one that no picture is shown.
    """
    boxes = [glimpse.box for glimpse in found]
    sure = [
        box for box, score, near in found if (near or score >= SURE) and not _covers(box, held.box)
    ]
    return _shown(held, sure, obscure(held.frame, [held.box, *held.others, *boxes]))


def reference_of(held: HeldPicture) -> Evidence | None:
    """An enrolled photo as it is kept; None as in `masked`.

    Nobody looks at anything but the face, so the whole photo is left no more cells than a face:
    then it need not be searched again.
    """
    photo = Box(0, 0, held.frame.width, held.frame.height)
    return _shown(held, (), obscure(held.frame, [photo]))


def _shown(held: HeldPicture, found: Sequence[Box], scene: Scene) -> Evidence | None:
    if covered(held, found) > 1 - LEAST_SHOWN:
        return None
    left, top = int(held.area.x - held.around.x), int(held.area.y - held.around.y)
    width, height = int(held.area.w), int(held.area.h)
    face = held.near[top : top + height, left : left + width].copy()
    hidden = _reached(held.area, [*held.others, *found])
    face[hidden] = mosaic(scene, held.area)[hidden]
    return Evidence(scene, face, held.area)


def _covers(box: Box, face: Box) -> bool:
    """Whether all of a face lies in a box: whoever stood there would hide it, and it was seen."""
    right, bottom = box.x + box.w >= face.x + face.w, box.y + box.h >= face.y + face.h
    return box.x <= face.x and box.y <= face.y and right and bottom


def covered(held: HeldPicture, found: Sequence[Box] = ()) -> float:
    """Share of the held face's box, within the picture, that other faces reach into, 0 to 1."""
    area = whole_pixels(held.box, held.frame.width, held.frame.height)
    if area is None:
        return 1.0
    left, top, right, bottom = area
    box = Box(left, top, right - left, bottom - top)
    return float(_reached(box, [*held.others, *found]).mean())


def is_hidden(held: HeldPicture) -> bool:
    """Whether known faces alone cover so much of the held one that no picture is shown."""
    return covered(held) > 1 - LEAST_SHOWN


def _reached(area: Box, others: Sequence[Box]) -> NDArray[np.bool_]:
    """(h, w) of an area: whether another face or its margin reaches there."""
    left, top, width, height = (int(value) for value in area)
    reached = np.zeros((height, width), np.bool_)
    for other in others:
        x, y, w, h = grown(other)
        cut = whole_pixels(Box(x - left, y - top, w, h), width, height)
        if cut is not None:
            reached[cut[1] : cut[3], cut[0] : cut[2]] = True
    return reached
