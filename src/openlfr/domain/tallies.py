"""Tallies: what became of a range of one camera's frames, faces and tracks, in numbers alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.alerts import NAMESPACE
from openlfr.domain.counts import Counts
from openlfr.domain.measures import Measures
from openlfr.domain.scores import SCORE_BINS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.baseline_openings import BaselineAdoption

QUALITY_EDGES = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
"""Borders of the quality bands, 0 to 100 (one more than the bands)."""

COUNTS = (*(each.name for each in fields(Counts) if each.type == "int"), "frames_discarded")
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
class Tally(Counts):
    """The counts of a range of one camera's frames, and of the tracks that ended in it.

    Attributes:
        first_seq, last_seq: The range, both inclusive.
        first_captured_at, last_captured_at: Of these frames, UTC.
        frames_discarded: Of an epoch that was over when they arrived.
        tracks_begun: Of the tracks that began in it; where they end may be another tally's.
        tracks_closed: `tracks_searched` + `tracks_not_searched` + `tracks_lost`, and what a newer
            version counts beside them.
        scores: For each quality band that has any (see `quality_band`) the best scores against
            those who are looked for, counted by the bins of `scores.SCORE_EDGES`: of the searched
            tracks but for `tracks_control`.
        fine_scores: The same tracks' scores by fine bins, whatever their quality.
        control_scores: The best scores against control subjects, by fine bins: of every searched
            track while any was searchable, and so mostly of strangers.
        measures: What the faces of the tracks that were closed were like.
        baseline: Id of the stretch of the deployment in which list, threshold, model, rules and
            cameras did not change; empty where nobody keeps them. A tally lies within one.
        baseline_since: When who counted took it up, UTC; None without one.
        adoption: What it is; with the first tally of each camera under it, where who counts
            cannot record it.
    """

    deployment: str
    camera: str
    epoch: int
    reporter: Reporter
    first_seq: int
    last_seq: int
    first_captured_at: datetime
    last_captured_at: datetime
    frames_discarded: int = 0
    scores: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    fine_scores: Mapping[int, int] = field(default_factory=dict)
    control_scores: Mapping[int, int] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    baseline: str = ""
    baseline_since: datetime | None = None
    adoption: BaselineAdoption | None = None

    @property
    def tracks_scored(self) -> int:
        """Tracks compared with those who are looked for, and taken for no control subject."""
        return sum(sum(counts) for counts in self.scores.values())

    @property
    def tracks_searched(self) -> int:
        """Tracks compared with the watchlist at least once."""
        return self.tracks_scored + self.tracks_control

    @property
    def tally_id(self) -> str:
        """The idempotency key: the same range, counted again, gives the same id."""
        parts = (self.deployment, self.camera, self.epoch, self.reporter)
        text = "\x1f".join(map(str, (*parts, self.first_seq, self.last_seq)))
        return str(uuid.uuid5(NAMESPACE, f"tally\x1f{text}"))


@dataclass(frozen=True, slots=True)
class HourTotals(Counts):
    """All tallies of one camera that began in one hour, together.

    Attributes:
        hour: 'YYYY-MM-DDTHH', UTC.
    """

    camera: str
    hour: str
    frames_discarded: int = 0
    tracks_searched: int = 0


@dataclass(frozen=True, slots=True)
class CameraTotals(Counts):
    """All tallies of one camera together; what is counted is what a `Tally` counts.

    Attributes:
        first_captured_at, last_captured_at: Of any frame that was counted, UTC.
    """

    camera: str
    first_captured_at: datetime
    last_captured_at: datetime
    frames_discarded: int = 0
    tracks_searched: int = 0


@dataclass(frozen=True, slots=True)
class Histograms:
    """The histograms of several tallies together; see `Tally`."""

    scores: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    fine_scores: Mapping[int, int] = field(default_factory=dict)
    control_scores: Mapping[int, int] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)

    @property
    def coarse(self) -> tuple[int, ...]:
        """`scores` of all quality bands together."""
        return tuple(map(sum, zip((0,) * SCORE_BINS, *self.scores.values(), strict=True)))
