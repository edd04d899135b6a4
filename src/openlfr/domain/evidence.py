"""Evidence of a sighting: one clear face in a scene whose coarse cells hide all other faces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from openlfr.domain.faces import Box


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkFrame:
    """A shrunk copy of a frame, retained until the tracks of its faces end.

    Attributes:
        pixels: (rows, columns, 3) uint8 BGR, each the mean of a `shrink` x `shrink` square.
        shrink: Side of the square in source pixels.
        width, height: Size of the source frame, pixels.
    """

    pixels: NDArray[np.uint8]
    shrink: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class FacePicture:
    """A picture of one face, which a live track stores in memory until the track ends.

    Attributes:
        frame: The shrunk frame.
        near: (h, w, 3) uint8 BGR, source resolution: the pixels of `around`.
        around: The box with the margin in which the detector searches again, within the picture,
            whole pixels.
        area: The box with the margin of the displayed picture, within `around`.
        box: The detected box of the face.
        others: Boxes of all other faces detected in the frame.
    """

    frame: ShrunkFrame
    near: NDArray[np.uint8]
    around: Box
    area: Box
    box: Box
    others: tuple[Box, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame that is downsampled so far that a face has only a few cells.

    Attributes:
        small: (rows, columns, 3) uint8 BGR; each pixel is the mean of a `cell` x `cell` square.
        cell: Side of the square in source pixels.
        width, height: Size of the source frame, pixels.
    """

    small: NDArray[np.uint8]
    cell: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The pictures of a sighting that may be stored.

    Attributes:
        scene: The opaque scene.
        face: (h, w, 3) uint8 BGR, source resolution: the pixels of `box`. Overlapping other faces
            are replaced by the scene's cells.
        box: The alerted face's box with its margin, within the picture, whole source pixels.
            Evidence of older versions has no margin.
    """

    scene: Scene
    face: NDArray[np.uint8]
    box: Box


@dataclass(frozen=True, slots=True)
class SentEvidence:
    """Evidence in the message of a sighting.

    Attributes:
        name: Name in the vault.
        sealed: Whether `content` is encrypted under the vault's key and bound to `name`.
        content: The result of `operations.evidence.encode`, encrypted if `sealed`; empty if the
            evidence is already in the vault.
    """

    name: str
    sealed: bool
    content: bytes = field(repr=False)
