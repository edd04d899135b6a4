"""The results of analysis: sightings with their evidence, and closed tracks to be tallied."""

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
    """A sighting and the pictures on which an operator decides.

    Attributes:
        evidence: None where other faces cover the alerted face in every kept picture.
    """

    sighting: Sighting
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _EndedTrack:
    """A track that ended or was dropped, without its pictures and positions.

    Attributes:
        camera: Name of its camera.
        face: Quality of its best face; None where no face was assessed.
    """

    camera: str
    face: Quality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedTrack(_EndedTrack):
    """A track that was compared with the watchlist.

    Nobody knows whose track it was: a control subject below the threshold looks like a stranger.
    So there are two scores. `score` never comes from a reference of a control subject. It is
    therefore a stranger's score even for a control subject's track, since control subjects are
    strangers to the rest of the list. Only a track matched with a control subject (`control`) is
    left out of the strangers' histogram; otherwise one person who walks by twenty times would
    weigh as much as twenty strangers. Planned walks alone show which tracks below the threshold
    were control subjects', never scores.

    Attributes:
        score: Best score of all its searches against listed people who are no control subjects;
            None where no such person was searchable.
        control_score: Best score against control subjects, or None; at least one score is given.
        quality: Quality of the face behind `score` (behind `control_score` without a `score`), 0
            to 100.
        matched: Whether the track caused a sighting.
        control: Whether the track caused a sighting of a control subject.
    """

    score: float | None
    control_score: float | None = None
    quality: float
    matched: bool = False
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsearchedTrack(_EndedTrack):
    """A track that ended without a search."""

    reason: NotSearchedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class LostTrack(_EndedTrack):
    """A live track that was dropped before its first search."""

    reason: LossReason


ClosedTrack = SearchedTrack | UnsearchedTrack | LostTrack


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The results of a batch of frames.

    Attributes:
        sightings: New sightings, in the order of their frames.
        closed: Tracks that ended or were dropped.
        begun: The camera of each track that began.
        faces: Number of faces detected in each frame of the batch; None for a frame that was
            discarded because its epoch has ended.
    """

    sightings: tuple[SightingWithEvidence, ...] = ()
    closed: tuple[ClosedTrack, ...] = ()
    faces: tuple[int | None, ...] = ()
    begun: tuple[str, ...] = ()
