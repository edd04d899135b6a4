"""Tallies: what became of a range of one camera's frames, faces and tracks, in numbers alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.alerts import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.summary import NotSearched

QUALITY_EDGES = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
"""Borders of the quality bands, 0 to 100 (one more than the bands)."""


COUNTS = (
    "frames_sampled_away",
    "frames_dropped_late",
    "frames_outside_hours",
    "frames_unreadable",
    "frames_discarded",
    "frames_analysed",
    "faces_detected",
    "tracks_closed",
    "sightings",
)
"""The counts of a tally that are plain numbers, by the names of its attributes."""


class Reporter(StrEnum):
    """Which service counted."""

    INGEST = "ingest"  # frames that it never sent
    ANALYSIS = "analysis"


def quality_band(quality: float) -> int:
    """The band of a quality: an index into `QUALITY_EDGES`; the end bands take what is outside."""
    bands = len(QUALITY_EDGES) - 1
    return min(max(int(quality // QUALITY_EDGES[1]), 0), bands - 1)


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of a range of one camera's frames, and of the tracks that ended in it.

    Attributes:
        first_seq, last_seq: The range, both inclusive.
        first_captured_at, last_captured_at: Of these frames, UTC.
        frames_sampled_away: Left out on purpose, since the camera's `fps` asks for fewer.
        frames_dropped_late: Too old when their turn came, or overtaken by a newer one.
        frames_outside_hours: Captured outside the deployment's hours; not looked at.
        frames_unreadable: Could not be decoded or analysed.
        frames_discarded: Of an epoch that was over when they arrived.
        frames_analysed: Went through the detector.
        faces_detected: Detections in those frames; one person gives many.
        tracks_closed: Passes of people: `tracks_searched` + `tracks_not_searched`, and what a
            newer version counts beside them.
        tracks_not_searched: Counts by reason.
        scores: For each quality band that has any (see `quality_band`) the searched tracks'
            best scores, counted by the bins of `summary.SCORE_EDGES`.
    """

    deployment: str
    camera: str
    epoch: int
    reporter: Reporter
    first_seq: int
    last_seq: int
    first_captured_at: datetime
    last_captured_at: datetime
    frames_sampled_away: int = 0
    frames_dropped_late: int = 0
    frames_outside_hours: int = 0
    frames_unreadable: int = 0
    frames_discarded: int = 0
    frames_analysed: int = 0
    faces_detected: int = 0
    tracks_closed: int = 0
    tracks_not_searched: Mapping[NotSearched, int] = field(default_factory=dict)
    scores: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    sightings: int = 0

    @property
    def tracks_searched(self) -> int:
        """Tracks compared with the watchlist at least once."""
        return sum(sum(counts) for counts in self.scores.values())

    @property
    def tally_id(self) -> str:
        """The idempotency key: the same range, counted again, gives the same id."""
        parts = (self.deployment, self.camera, self.epoch, self.reporter)
        text = "\x1f".join(map(str, (*parts, self.first_seq, self.last_seq)))
        return str(uuid.uuid5(NAMESPACE, f"tally\x1f{text}"))


@dataclass(frozen=True, slots=True)
class CameraTotals:
    """All tallies of one camera together; the counts are those of `Tally`.

    Attributes:
        first_captured_at, last_captured_at: Of any frame that was counted, UTC.
    """

    camera: str
    first_captured_at: datetime
    last_captured_at: datetime
    frames_sampled_away: int = 0
    frames_dropped_late: int = 0
    frames_outside_hours: int = 0
    frames_unreadable: int = 0
    frames_discarded: int = 0
    frames_analysed: int = 0
    faces_detected: int = 0
    tracks_closed: int = 0
    tracks_searched: int = 0
    tracks_not_searched: Mapping[NotSearched, int] = field(default_factory=dict)
    sightings: int = 0
