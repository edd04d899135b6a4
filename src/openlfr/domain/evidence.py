"""Evidence of a sighting: one face in clear, nobody else larger than a few cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from openlfr.domain.faces import Box


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkFrame:
    """A frame as it is held until its picture is wanted; the held faces of one frame share it.

    Attributes:
        pixels: (rows, columns, 3) uint8 BGR; each is the mean of a `shrink` x `shrink` square.
        shrink: Side of that square in source pixels.
        width, height: Of the source frame, pixels.
    """

    pixels: NDArray[np.uint8]
    shrink: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class HeldPicture:
    """What is held of a frame for one face in it, in memory alone, until its track is sighted.

    Attributes:
        frame: The surroundings.
        near: (h, w, 3) uint8 BGR, source resolution: what lies within `around`.
        around: The face's box with what is searched around it, cut to the picture, whole pixels.
        area: The same with what may be shown, within `around`.
        box: The face, as it was detected.
        others: Every other face that was detected in the frame.
    """

    frame: ShrunkFrame
    near: NDArray[np.uint8]
    around: Box
    area: Box
    box: Box
    others: tuple[Box, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame downsampled to a few cells a face.

    Attributes:
        small: (rows, columns, 3) uint8 BGR; each pixel is the mean of a `cell` x `cell` square.
        cell: Side of that square in source pixels.
        width, height: Of the source frame, pixels.
    """

    small: NDArray[np.uint8]
    cell: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What may be kept of a sighting.

    Attributes:
        scene: The opaque surroundings.
        face: (h, w, 3) uint8 BGR, source resolution: the pixels inside `box` and no others; where
            another face reaches in, the scene's cells.
        box: The alerted face with its margin, cut to the picture, whole source pixels. Evidence of
            older versions has no margin.
    """

    scene: Scene
    face: NDArray[np.uint8]
    box: Box


@dataclass(frozen=True, slots=True)
class CarriedEvidence:
    """Evidence as it travels with a sighting.

    Attributes:
        name: In the vault.
        sealed: Whether `content` is encrypted under the vault's key and bound to `name`.
        content: As `operations.evidence.encode` makes it, sealed or not; empty where it lies in
            the vault already.
    """

    name: str
    sealed: bool
    content: bytes = field(repr=False)
