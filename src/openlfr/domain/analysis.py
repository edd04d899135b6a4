"""What analysis gives out: sightings with their evidence, and tallies. Nothing else leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openlfr.domain.alerts import Sighting
    from openlfr.domain.evidence import Evidence
    from openlfr.domain.summary import Lost, NotSearched


@dataclass(frozen=True, slots=True, eq=False)
class Sighted:
    """A sighting and the picture that an operator decides on.

    Attributes:
        evidence: None where other faces cover the alerted one in every picture that was held.
    """

    sighting: Sighting
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class ClosedTrack:
    """What is told of a track that has ended or was dropped: no face, no place, two numbers.

    It was searched, or it says why not: of `score`, `reason` and `lost` exactly one is given.

    Attributes:
        camera: Where it was seen.
        score: The best score over all its searches; None if it was never searched.
        reason: Why it ended without a search.
        lost: Why it was dropped before its first search.
        matched: Whether it gave a sighting.
        quality: Of the face that stood for the probe of that score, 0 to 100; None as the score.
    """

    camera: str
    score: float | None
    reason: NotSearched | None
    quality: float | None = None
    matched: bool = False
    lost: Lost | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What a batch of frames gave.

    Attributes:
        sightings: In the order of their frames.
        closed: Tracks that ended or were dropped.
        begun: The camera of each track that began.
        faces: For each frame of the batch how many faces were detected; -1 where the frame was
            discarded because its epoch is over.
    """

    sightings: tuple[Sighted, ...] = ()
    closed: tuple[ClosedTrack, ...] = ()
    faces: tuple[int, ...] = ()
    begun: tuple[str, ...] = ()
