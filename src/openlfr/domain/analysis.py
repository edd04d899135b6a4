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
        evidence: The pictures; None if other faces cover the alerted face in every stored picture.
    """

    sighting: Sighting
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _EndedTrack:
    """A track that ended or was dropped, without its pictures and positions.

    Attributes:
        camera: Name of the camera.
        face: Quality of the track's best face; None if no face was assessed.
    """

    camera: str
    face: Quality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedTrack(_EndedTrack):
    """A track that was compared with the watchlist.

    The person of a track is unknown: a control subject below the threshold looks like a stranger.
    So there are two scores. `score` never comes from a reference of a control subject. It is
    therefore a stranger's score even for the track of a control subject, because control subjects
    are strangers to the rest of the list.

    Only a track matched with a control subject (`is_control`) is excluded from the strangers'
    histogram; otherwise one person who walks by twenty times would weigh as much as twenty
    strangers. Scores cannot show which tracks below the threshold belong to control subjects; only
    planned walks can.

    Attributes:
        score: Best score of all searches against listed people who are not control subjects; None
            if no such person was searchable.
        control_score: Best score against control subjects; None if none was searchable. At least
            one of the two scores is set.
        quality: Quality of the face with `score`, 0 to 100; without a `score`, of the face with
            `control_score`.
        is_matched: Whether the track caused a sighting.
        is_control: Whether the track caused a sighting of a control subject.
    """

    score: float | None
    control_score: float | None = None
    quality: float
    is_matched: bool = False
    is_control: bool = False


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
        closed_tracks: Tracks that ended or were dropped.
        begun_cameras: The camera of each track that began.
        faces: Number of faces detected in each frame of the batch; None for a frame that was
            discarded because its epoch had ended.
    """

    sightings: tuple[SightingWithEvidence, ...] = ()
    closed_tracks: tuple[ClosedTrack, ...] = ()
    faces: tuple[int | None, ...] = ()
    begun_cameras: tuple[str, ...] = ()
