"""What analysis gives out: sightings with their evidence, and tallies. Nothing else leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openlfr.domain.counts import LossReason, NotSearchedReason
    from openlfr.domain.evidence import Evidence
    from openlfr.domain.faces import Quality
    from openlfr.domain.sightings import Sighting


@dataclass(frozen=True, slots=True, eq=False)
class SightingWithEvidence:
    """A sighting and the picture that an operator decides on.

    Attributes:
        evidence: None where other faces cover the alerted one in every picture that was held.
    """

    sighting: Sighting
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    """What is told of every track that has ended or was dropped: no face, no place.

    Attributes:
        camera: Where it was seen.
        face: What its best face was like; None where none was looked at.
    """

    camera: str
    face: Quality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedTrack(_Closed):
    """A track that was compared with the watchlist.

    Whose it was is not known: a control subject below the threshold looks like a stranger. So the
    two scores are kept apart. `score` never comes from a reference of a control subject, hence it
    is a stranger's score against the list that matters also where the track was a control
    subject's, who is no more on that list than other strangers are. Only a track that was taken
    for a control subject (`control`) is left out of the strangers' histogram, lest one person who
    walks by twenty times weigh as much as twenty strangers. Which tracks below the threshold were
    control subjects' is known from planned walks alone, never from scores.

    Attributes:
        score: The best over all its searches against those who are looked for; None where none of
            them was searchable.
        control_score: The same against control subjects; at least one of the two is there.
        quality: Of the face that stood for the probe of `score` (of `control_score` where that is
            the only one), 0 to 100.
        matched: Whether it gave a sighting.
        control: Whether it gave one of a control subject.
    """

    score: float | None
    control_score: float | None = None
    quality: float
    matched: bool = False
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsearchedTrack(_Closed):
    """A track that ended and was compared with nobody."""

    reason: NotSearchedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class LostTrack(_Closed):
    """A track that was dropped while it lived, before its first search."""

    reason: LossReason


ClosedTrack = SearchedTrack | UnsearchedTrack | LostTrack


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What a batch of frames gave.

    Attributes:
        sightings: In the order of their frames.
        closed: Tracks that ended or were dropped.
        begun: The camera of each track that began.
        faces: For each frame of the batch how many faces were detected; None where the frame was
            discarded because its epoch is over.
    """

    sightings: tuple[SightingWithEvidence, ...] = ()
    closed: tuple[ClosedTrack, ...] = ()
    faces: tuple[int | None, ...] = ()
    begun: tuple[str, ...] = ()
