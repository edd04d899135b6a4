"""Evidence of a sighting: one face in clear, everything else beyond recovery."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from openlfr.domain.faces import Box


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame downsampled until nobody in it can be recognised.

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
        face: (h, w, 3) uint8 BGR, source resolution: the pixels inside `box` and no others.
        box: The alerted face's box, cut to the picture, whole source pixels.
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
