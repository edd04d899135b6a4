"""A live track: its best faces, its scores, and the moments of its searches. In memory only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openlfr.domain.analysis import LostTrack, SearchedTrack, UnsearchedTrack
from openlfr.domain.counts import NotSearchedReason
from openlfr.domain.moments import is_at_least, microseconds
from openlfr.encounters import Encounters
from openlfr.stages.probe import Probe, fuse
from openlfr.stages.track import TrackerState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.analysis import ClosedTrack
    from openlfr.domain.counts import LossReason
    from openlfr.domain.evidence import FacePicture
    from openlfr.domain.faces import Box, Candidate, Quality
    from openlfr.stages.probe import ProbeRules

MIN_DETECTIONS = 3
"""An unsearched track with fewer detections is reported as too short, instead of too small or too
poor."""


@dataclass(slots=True, eq=False)
class TrackFace:
    """One of a track's best faces, and the face's picture; a sighting stores it only masked.

    The template is None until the face is searched.
    """

    seq: int
    captured_at: datetime
    box: Box
    quality: Quality
    aligned: NDArray[np.uint8]
    picture: FacePicture
    template: NDArray[np.float32] | None = None


class BestScore(NamedTuple):
    """A track's best score, and the quality of the best face of the probe with that score."""

    score: float
    quality: float


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The faces of a track at the time of a search.

    Attributes:
        is_final: Whether the track has ended.
        is_settled: Whether the track has ended, or its first search is at least `settles_after`
            seconds ago.
        encounters: The encounters of this camera's tracks.
        neighbours: Numbers of the tracks that were in one frame with this track.
    """

    camera: str
    epoch: int
    track: LiveTrack
    faces: tuple[TrackFace, ...]
    is_final: bool
    is_settled: bool
    encounters: Encounters
    neighbours: frozenset[int]

    def probes(self, rules: ProbeRules) -> list[Probe]:
        """Return the usable probes of the faces, all of which must have templates."""
        templates = np.stack([face.template for face in self.faces if face.template is not None])
        qualities = [face.quality.score for face in self.faces]
        return [
            probe
            for probe in fuse(templates, qualities, agree=rules.agree)
            if rules.is_searchable([qualities[row] for row in probe.rows], is_final=self.is_final)
        ]

    def score_penalty(self, probe: Probe, rules: ProbeRules) -> float:
        """Return the reduction of a probe's scores; 0 for a good probe of a settled track."""
        qualities = [self.faces[row].quality.score for row in probe.rows]
        poor = 0.0 if rules.is_good(qualities, is_final=self.is_settled) else rules.doubt
        return poor if self.is_settled else poor + rules.unsettled


@dataclass(slots=True, eq=False)
class LiveTrack:
    """One live track.

    Attributes:
        number: Number within the camera's epoch.
        detections: Number of detections in the track.
        faces: The best few faces.
        best_size: Greatest inter-eye distance, pixels.
        first_search_at: Capture time of the frame of the first search; None before that search.
        searched_worth: Sum of the faces' qualities at the latest search; 0 before the first search.
        was_settled: `Query.is_settled` of the latest search.
        best: Quality of the best face, even if it was too poor for a search.
        is_searched: Whether the track was searched, even if nobody was searchable.
        score: Best score of all searches against listed people, lowered by `Query.score_penalty`.
            This score is the highest threshold at which the track gives a sighting of a listed
            person; None without a score.
        control: Best score of all searches against control subjects, lowered by the same penalty;
            None without a score.
        is_matched: Whether the track has given a sighting.
        is_control_matched: Whether the track has given a sighting of a control subject.
    """

    camera: str
    epoch: int
    number: int
    detections: int = 0
    faces: list[TrackFace] = field(default_factory=list)
    best_size: float = 0.0
    first_search_at: datetime | None = None
    searched_worth: float = 0.0
    was_settled: bool = False
    best: Quality | None = None
    is_searched: bool = False
    score: BestScore | None = None
    control: BestScore | None = None
    is_matched: bool = False
    is_control_matched: bool = False

    def add_detection(self, quality: Quality, rules: ProbeRules) -> bool:
        """Count a detection; return whether the caller must add its face to the best faces.

        If so, and the track already has `rules.faces` faces, the worst of them is dropped here.
        """
        self.detections += 1
        self.best_size = max(self.best_size, quality.eye_distance)
        if self.best is None or quality.score > self.best.score:
            self.best = quality
        if quality.eye_distance < rules.min_eye_distance or quality.score < rules.min_quality:
            return False
        if len(self.faces) >= rules.faces:
            worst = min(self.faces, key=lambda face: face.quality.score)
            if quality.score <= worst.quality.score:
                return False
            self.faces.remove(worst)
        return True

    def record_search(self, candidates: Sequence[Candidate], quality: float) -> None:
        """Record the best scores of a search, of listed people and of control subjects.

        Args:
            candidates: The search's candidates, best first.
            quality: Quality of the probe's best face.
        """
        self.is_searched = True
        for each in candidates:
            best = self.control if each.is_control else self.score
            if best is None or each.score > best.score:
                scored = BestScore(each.score, quality)
                if each.is_control:
                    self.control = scored
                else:
                    self.score = scored

    def next_query(
        self, rules: ProbeRules, at: datetime | None, encounters: Encounters
    ) -> Query | None:
        """Return the query that is due now; None if no search is due.

        A track is searched with its first probe, with a good probe, with a clearly better probe,
        and when it settles or ends.

        Args:
            rules: The rules of searches.
            at: Capture time of the present frame; None if the track has ended.
            encounters: The encounters of the camera's tracks.
        """
        is_final = at is None
        is_settled = at is None or self._is_settled_at(at, rules)
        qualities = [face.quality.score for face in self.faces]
        if not rules.is_searchable(qualities, is_final=is_final):
            return None
        worth, before = sum(qualities), self.searched_worth
        is_better = worth >= rules.better * before or before < rules.worth <= worth
        if not (is_final or is_better or (is_settled and not self.was_settled)):
            return None
        self.searched_worth, self.was_settled = worth, is_settled
        self.first_search_at = self.first_search_at or at
        return Query(
            self.camera,
            self.epoch,
            self,
            tuple(self.faces),
            is_final,
            is_settled,
            encounters,
            encounters.neighbours(self.number),
        )

    def _is_settled_at(self, at: datetime, rules: ProbeRules) -> bool:
        """Return whether the first search is at least `settles_after` seconds ago."""
        since = self.first_search_at
        if since is None:
            return False
        return is_at_least(microseconds(at) - microseconds(since), rules.settles_after)

    def to_closed(self, rules: ProbeRules, lost: LossReason | None = None) -> ClosedTrack:
        """Return the report of this track: searched, unsearched or lost.

        A loss is reported only for a track that was never searched.
        """
        camera, face = self.camera, self.best
        if (scored := self.score or self.control) is not None:
            return SearchedTrack(
                camera=camera,
                face=face,
                score=self.score.score if self.score else None,
                control_score=self.control.score if self.control else None,
                quality=scored.quality,
                is_matched=self.is_matched,
                is_control=self.is_control_matched,
            )
        if self.is_searched:
            return UnsearchedTrack(camera=camera, face=face, reason=NotSearchedReason.NOBODY_LISTED)
        if lost is not None:
            return LostTrack(camera=camera, face=face, reason=lost)
        if self.detections < MIN_DETECTIONS:
            reason = NotSearchedReason.TOO_SHORT
        elif self.best_size < rules.min_eye_distance:
            reason = NotSearchedReason.TOO_SMALL
        else:
            reason = NotSearchedReason.TOO_POOR
        return UnsearchedTrack(camera=camera, face=face, reason=reason)


@dataclass(slots=True, eq=False)
class CameraState:
    """The live tracks of one camera in its present epoch."""

    epoch: int
    tracker: TrackerState = field(default_factory=TrackerState)
    tracks: dict[int, LiveTrack] = field(default_factory=dict)
    encounters: Encounters = field(default_factory=Encounters)
