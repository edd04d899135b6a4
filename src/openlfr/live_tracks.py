"""What is held of one live track, in this process's memory alone; it dies with the track."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openlfr.domain.analysis import LostTrack, SearchedTrack, UnsearchedTrack
from openlfr.domain.counts import NotSearchedReason
from openlfr.domain.moments import at_least, microseconds
from openlfr.stages.probe import Fused, fuse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.analysis import ClosedTrack
    from openlfr.domain.counts import LossReason
    from openlfr.domain.evidence import HeldPicture
    from openlfr.domain.faces import Box, Candidate, Quality
    from openlfr.encounters import Encounters
    from openlfr.stages.probe import ProbeRules

FEW = 3
"""A track with fewer detections that was not searched was too short, whatever they were like."""


@dataclass(slots=True, eq=False)
class HeldFace:
    """A face that a track holds, and its picture, to be masked should the track be sighted.

    Its template is made when it is first searched.
    """

    seq: int
    captured_at: datetime
    box: Box
    quality: Quality
    aligned: NDArray[np.uint8]
    picture: HeldPicture
    template: NDArray[np.float32] | None = None


class Scored(NamedTuple):
    """A best score, and the quality of the best face of the probe that has it."""

    score: float
    quality: float


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A track's faces as they stood when the time had come to search them.

    Attributes:
        last: The track has ended.
        settled: It has ended or has been searched for a while: this is what it amounts to.
        encounters: Whom the camera's tracks were taken for.
        beside: The numbers of those that had stood in one frame with this one by then.
    """

    camera: str
    epoch: int
    track: LiveTrack
    faces: tuple[HeldFace, ...]
    last: bool
    settled: bool
    encounters: Encounters
    beside: frozenset[int]

    def probes(self, rules: ProbeRules) -> list[Fused]:
        """The usable probes among its faces, which must all have their templates by now."""
        templates = np.stack([face.template for face in self.faces if face.template is not None])
        qualities = [face.quality.score for face in self.faces]
        return [
            probe
            for probe in fuse(templates, qualities, agree=rules.agree)
            if rules.usable([qualities[row] for row in probe.rows], last=self.last)
        ]

    def doubt(self, probe: Fused, rules: ProbeRules) -> float:
        """By how much a probe's scores are to be lowered: nothing for a good one that settled."""
        qualities = [self.faces[row].quality.score for row in probe.rows]
        poor = 0.0 if rules.good(qualities, last=self.settled) else rules.doubt
        return poor if self.settled else poor + rules.unsettled


@dataclass(slots=True, eq=False)
class LiveTrack:
    """One live track.

    Attributes:
        number: Within the camera's epoch.
        seen: Detections credited to it.
        faces: The best few.
        best_size: Greatest inter-eye distance, pixels.
        searched_from: Time of capture of the frame of its first search; None before.
        searched_with: Sum of its faces' qualities at the latest search; 0 before the first.
        settled: Its latest search was of all that it seems to amount to.
        best: What its best face was like, good enough for a search or not.
        searched: Whether it was, be it that nobody was searchable.
        score: Best of all its searches against those who are looked for, lowered as `Query.doubt`
            says: the highest threshold at which it is sighted as one of them; None without any.
        control: The same against control subjects.
        matched: Whether it has given a sighting.
        matched_control: Whether one of a control subject.
    """

    camera: str
    epoch: int
    number: int
    seen: int = 0
    faces: list[HeldFace] = field(default_factory=list)
    best_size: float = 0.0
    searched_from: datetime | None = None
    searched_with: float = 0.0
    settled: bool = False
    best: Quality | None = None
    searched: bool = False
    score: Scored | None = None
    control: Scored | None = None
    matched: bool = False
    matched_control: bool = False

    def makes_room(self, quality: Quality, rules: ProbeRules) -> bool:
        """Count a detection; True if it is among the best, for which the worst is dropped."""
        self.seen += 1
        self.best_size = max(self.best_size, quality.eye_distance)
        if self.best is None or quality.score > self.best.score:
            self.best = quality
        if quality.eye_distance < rules.min_eye_distance or quality.score < rules.min_quality:
            return False
        if len(self.faces) >= rules.faces:
            worst = min(self.faces, key=lambda held: held.quality.score)
            if quality.score <= worst.quality.score:
                return False
            self.faces.remove(worst)
        return True

    def note(self, candidates: Sequence[Candidate], quality: float) -> None:
        """Take note of what a search gave, best first, and of the quality of the probe's best face.

        Those who are looked for and control subjects each have a best of their own.
        """
        self.searched = True
        for each in candidates:
            best = self.control if each.is_control else self.score
            if best is None or each.score > best.score:
                scored = Scored(each.score, quality)
                if each.is_control:
                    self.control = scored
                else:
                    self.score = scored

    def query(self, rules: ProbeRules, at: datetime | None, encounters: Encounters) -> Query | None:
        """What to search: a first probe, a good one, a clearly better one, and what it settled as.

        Args:
            rules: When a track is worth a search.
            at: The present frame's time of capture; None when the track has ended.
            encounters: Of its camera.
        """
        settled = at is None or self._searched_for_long(at, rules)
        last = at is None
        qualities = [face.quality.score for face in self.faces]
        if not rules.usable(qualities, last=last):
            return None
        worth, before = sum(qualities), self.searched_with
        better = worth >= rules.better * before or before < rules.worth <= worth
        if not (last or better or (settled and not self.settled)):
            return None
        self.searched_with, self.settled = worth, settled
        self.searched_from = self.searched_from or at
        faces, beside = tuple(self.faces), encounters.beside(self.number)
        return Query(self.camera, self.epoch, self, faces, last, settled, encounters, beside)

    def _searched_for_long(self, at: datetime, rules: ProbeRules) -> bool:
        """Whether its first search is so long ago that nobody is to wait longer."""
        since = self.searched_from
        if since is None:
            return False
        return at_least(microseconds(at) - microseconds(since), rules.settles_after)

    def closed(self, rules: ProbeRules, lost: LossReason | None = None) -> ClosedTrack:
        """What is told of the track once it has ended, or is dropped while it lives."""
        camera, face = self.camera, self.best
        if (scored := self.score or self.control) is not None:
            return SearchedTrack(
                camera=camera,
                face=face,
                score=self.score.score if self.score else None,
                control_score=self.control.score if self.control else None,
                quality=scored.quality,
                matched=self.matched,
                control=self.matched_control,
            )
        if self.searched:
            return UnsearchedTrack(camera=camera, face=face, reason=NotSearchedReason.NOBODY_LISTED)
        if lost is not None:
            return LostTrack(camera=camera, face=face, reason=lost)
        if self.seen < FEW:
            reason = NotSearchedReason.TOO_SHORT
        elif self.best_size < rules.min_eye_distance:
            reason = NotSearchedReason.TOO_SMALL
        else:
            reason = NotSearchedReason.TOO_POOR
        return UnsearchedTrack(camera=camera, face=face, reason=reason)
