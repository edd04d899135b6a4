"""A live track: its best faces, its scores, and when it is searched. In memory only."""

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
"""An unsearched track with fewer detections is reported as too short, not as too small or poor."""


@dataclass(slots=True, eq=False)
class TrackFace:
    """One of a track's best faces, with the picture that is masked if the track is sighted.

    The template is made when the face is first searched.
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
    """A track's faces at the moment when the track was due for a search.

    Attributes:
        last: Whether the track has ended.
        settled: Whether the track has ended, or its first search is `settles_after` seconds ago.
        encounters: The sightings of all tracks of this camera.
        neighbours: Numbers of the tracks that were in one frame with this track so far.
    """

    camera: str
    epoch: int
    track: LiveTrack
    faces: tuple[TrackFace, ...]
    last: bool
    settled: bool
    encounters: Encounters
    neighbours: frozenset[int]

    def probes(self, rules: ProbeRules) -> list[Probe]:
        """The usable probes among the faces, which must all have their templates."""
        templates = np.stack([face.template for face in self.faces if face.template is not None])
        qualities = [face.quality.score for face in self.faces]
        return [
            probe
            for probe in fuse(templates, qualities, agree=rules.agree)
            if rules.is_searchable([qualities[row] for row in probe.rows], is_final=self.last)
        ]

    def doubt(self, probe: Probe, rules: ProbeRules) -> float:
        """By how much a probe's scores are lowered: 0 for a good probe of a settled track."""
        qualities = [self.faces[row].quality.score for row in probe.rows]
        poor = 0.0 if rules.is_good(qualities, is_final=self.settled) else rules.doubt
        return poor if self.settled else poor + rules.unsettled


@dataclass(slots=True, eq=False)
class LiveTrack:
    """One live track.

    Attributes:
        number: Number within the camera's epoch.
        detections: Number of detections in the track.
        faces: The best few faces.
        best_size: Greatest inter-eye distance, pixels.
        searched_from: Capture time of the frame of the first search; None before it.
        searched_with: Sum of the faces' qualities at the latest search; 0 before the first.
        settled: Whether the latest search was of a settled track (`Query.settled`).
        best: Quality of the best face, whether or not it was good enough for a search.
        searched: Whether the track was searched, even if nobody was searchable.
        score: Best score of all searches against listed people, lowered by `Query.doubt`. It is
            the highest threshold at which the track gives a sighting of one; None without a score.
        control: The same against control subjects.
        matched: Whether the track has given a sighting.
        matched_control: Whether the track has given a sighting of a control subject.
    """

    camera: str
    epoch: int
    number: int
    detections: int = 0
    faces: list[TrackFace] = field(default_factory=list)
    best_size: float = 0.0
    searched_from: datetime | None = None
    searched_with: float = 0.0
    settled: bool = False
    best: Quality | None = None
    searched: bool = False
    score: BestScore | None = None
    control: BestScore | None = None
    matched: bool = False
    matched_control: bool = False

    def add_detection(self, quality: Quality, rules: ProbeRules) -> bool:
        """Count a detection. Where it is among the best, drop the worst face and return True."""
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
        self.searched = True
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
        """The query that is due now; None where no search is due.

        A track is searched with its first probe, with a good one, with a clearly better one, and
        when it settles or ends.

        Args:
            rules: The rules for when a track is searched.
            at: Capture time of the present frame; None when the track has ended.
            encounters: The encounters of the track's camera.
        """
        settled = at is None or self._searched_for_long(at, rules)
        last = at is None
        qualities = [face.quality.score for face in self.faces]
        if not rules.is_searchable(qualities, is_final=last):
            return None
        worth, before = sum(qualities), self.searched_with
        better = worth >= rules.better * before or before < rules.worth <= worth
        if not (last or better or (settled and not self.settled)):
            return None
        self.searched_with, self.settled = worth, settled
        self.searched_from = self.searched_from or at
        faces, neighbours = tuple(self.faces), encounters.neighbours(self.number)
        return Query(self.camera, self.epoch, self, faces, last, settled, encounters, neighbours)

    def _searched_for_long(self, at: datetime, rules: ProbeRules) -> bool:
        """Whether the first search is at least `settles_after` seconds ago."""
        since = self.searched_from
        if since is None:
            return False
        return is_at_least(microseconds(at) - microseconds(since), rules.settles_after)

    def outcome(self, rules: ProbeRules, lost: LossReason | None = None) -> ClosedTrack:
        """What to report of this track, which has ended, or was lost for the given reason."""
        camera, face = self.camera, self.best
        if (scored := self.score or self.control) is not None:
            return SearchedTrack(
                camera=camera,
                face=face,
                score=self.score.score if self.score else None,
                control_score=self.control.score if self.control else None,
                quality=scored.quality,
                is_matched=self.matched,
                is_control=self.matched_control,
            )
        if self.searched:
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
