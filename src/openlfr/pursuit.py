"""What is held of one live track, in this process's memory alone; it dies with the track."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.analysis import ClosedTrack
from openlfr.domain.moments import at_least, microseconds
from openlfr.domain.summary import NotSearched
from openlfr.stages.probe import Fused, fuse

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.evidence import HeldPicture
    from openlfr.domain.faces import Box, Quality
    from openlfr.domain.summary import Lost
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


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A track's faces as they stood when the time had come to search them.

    Attributes:
        last: The track has ended.
        settled: It has ended or has been searched for a while: this is what it amounts to.
        beside: What the tracks that stood in one frame with this one had been sighted as.
    """

    camera: str
    epoch: int
    pursuit: Pursuit
    faces: tuple[HeldFace, ...]
    last: bool
    settled: bool
    beside: tuple[Mapping[str, int], ...] = ()

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
class Pursuit:
    """One live track.

    Attributes:
        seen: Detections credited to it.
        faces: The best few.
        best_size: Greatest inter-eye distance, pixels.
        searched_from: Time of capture of the frame of its first search; None before.
        searched_with: Sum of its faces' qualities at the latest search; 0 before the first.
        settled: Its latest search was of all that it seems to amount to.
        score: Best score of all its searches, lowered as `Query.doubt` says: the highest threshold
            at which it is sighted; None before the first.
        score_quality: Quality of the best face of the probe that has it.
        sighted: Subjects that it has given a sighting of, and the frame (`seq`) of each.
        beside: The same of every track that stood in one frame with it, by the track's number; its
            own among them. Nothing else of another track is held.
    """

    camera: str
    epoch: int
    seen: int = 0
    faces: list[HeldFace] = field(default_factory=list)
    best_size: float = 0.0
    searched_from: datetime | None = None
    searched_with: float = 0.0
    settled: bool = False
    score: float | None = None
    score_quality: float | None = None
    sighted: dict[str, int] = field(default_factory=dict)
    beside: dict[int, Mapping[str, int]] = field(default_factory=dict)

    def makes_room(self, quality: Quality, rules: ProbeRules) -> bool:
        """Count a detection; True if it is among the best, for which the worst is dropped."""
        self.seen += 1
        self.best_size = max(self.best_size, quality.eye_distance)
        if quality.eye_distance < rules.min_eye_distance or quality.score < rules.min_quality:
            return False
        if len(self.faces) >= rules.faces:
            worst = min(self.faces, key=lambda held: held.quality.score)
            if quality.score <= worst.quality.score:
                return False
            self.faces.remove(worst)
        return True

    def note(self, score: float, quality: float) -> None:
        """Take note of a search's best score, and of the quality of the probe's best face."""
        if self.score is None or score > self.score:
            self.score, self.score_quality = score, quality

    def query(self, rules: ProbeRules, at: datetime | None) -> Query | None:
        """What to search: a first probe, a good one, a clearly better one, and what it settled as.

        Args:
            rules: When a track is worth a search.
            at: The present frame's time of capture; None when the track has ended.
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
        beside = tuple(self.beside.values())
        return Query(self.camera, self.epoch, self, tuple(self.faces), last, settled, beside)

    def _searched_for_long(self, at: datetime, rules: ProbeRules) -> bool:
        """Whether its first search is so long ago that nobody is to wait longer."""
        since = self.searched_from
        if since is None:
            return False
        return at_least(microseconds(at) - microseconds(since), rules.settles_after)

    def leave(self, live: Container[int]) -> None:
        """Forget the tracks beside it that have ended and were nobody's who is listed."""
        self.beside = {n: names for n, names in self.beside.items() if n in live or names}

    def closed(self, rules: ProbeRules, lost: Lost | None = None) -> ClosedTrack:
        """What is told of the track once it has ended, or is dropped while it lives."""
        if self.score is not None:
            matched = bool(self.sighted)
            return ClosedTrack(self.camera, self.score, None, self.score_quality, matched)
        if lost is not None:
            return ClosedTrack(self.camera, None, None, lost=lost)
        if self.seen < FEW:
            return ClosedTrack(self.camera, None, NotSearched.TOO_SHORT)
        if self.best_size < rules.min_eye_distance:
            return ClosedTrack(self.camera, None, NotSearched.TOO_SMALL)
        return ClosedTrack(self.camera, None, NotSearched.TOO_POOR)
