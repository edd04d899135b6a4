"""Tallies: counts of the frames, faces and tracks in a range of one camera's frames."""

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
"""The attributes of a tally that are plain numbers."""


class Reporter(StrEnum):
    """The service that counted a tally."""

    INGEST = "ingest"  # frames that were never sent
    ANALYSIS = "analysis"


def quality_band(quality: float) -> int:
    """Return the index of a quality's band; values outside `QUALITY_EDGES` are in the end bands."""
    bands = len(QUALITY_EDGES) - 1
    return min(max(int(quality // QUALITY_EDGES[1]), 0), bands - 1)


@dataclass(frozen=True, slots=True)
class Tally(Counts):
    """The counts of a range of one camera's frames, and of the tracks that ended in it.

    Attributes:
        first_seq, last_seq: First and last frame number of the range.
        first_captured_at, last_captured_at: Capture times in the range, UTC.
        frames_discarded: Frames whose epoch had ended when they arrived.
        tracks_begun: Tracks that began in the range; they may end in the range of another tally.
        tracks_closed: `tracks_searched` + `tracks_not_searched` + `tracks_lost`, and kinds of
            tracks that a newer version counts.
        scores: Histograms of the searched tracks' best scores against listed people who are not
            control subjects, by quality band (see `quality_band`) and in the bins of
            `scores.SCORE_EDGES`. The tracks of `tracks_control` are not included.
        fine_scores: The same scores by fine bins, summed over all quality bands.
        control_scores: Histogram of the best scores against control subjects, by fine bins. It
            counts each track that was searched while a control subject was searchable, so most of
            these scores are strangers'.
        measures: Measurements of the best faces of the closed tracks.
        baseline: Id of the baseline under which all frames of the tally were counted; empty
            without a baseline.
        baseline_since: Time at which the counting process adopted the baseline, UTC; None without
            a baseline.
        adoption: The baseline's content, in each camera's first tally under the baseline; None in
            other tallies, and if the counting process can write to the records.
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
        """Tracks compared with listed people who are not control subjects."""
        return sum(sum(counts) for counts in self.scores.values())

    @property
    def tracks_searched(self) -> int:
        """Tracks compared with the watchlist at least once."""
        return self.tracks_scored + self.tracks_control

    @property
    def tally_id(self) -> str:
        """The idempotency key, which is the same when the same range is counted again."""
        parts = (self.deployment, self.camera, self.epoch, self.reporter)
        text = "\x1f".join(map(str, (*parts, self.first_seq, self.last_seq)))
        return str(uuid.uuid5(NAMESPACE, f"tally\x1f{text}"))


@dataclass(frozen=True, slots=True)
class HourTotals(Counts):
    """The sum of the tallies of one camera that begin within one hour.

    Attributes:
        hour: 'YYYY-MM-DDTHH', UTC.
    """

    camera: str
    hour: str
    frames_discarded: int = 0
    tracks_searched: int = 0


@dataclass(frozen=True, slots=True)
class CameraTotals(Counts):
    """The sum of all tallies of one camera; see `Tally` for the counts.

    Attributes:
        first_captured_at, last_captured_at: Capture times of the first and last counted frame, UTC.
    """

    camera: str
    first_captured_at: datetime
    last_captured_at: datetime
    frames_discarded: int = 0
    tracks_searched: int = 0


@dataclass(frozen=True, slots=True)
class Histograms:
    """The summed histograms of several tallies; see `Tally`."""

    scores: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    fine_scores: Mapping[int, int] = field(default_factory=dict)
    control_scores: Mapping[int, int] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)

    @property
    def coarse(self) -> tuple[int, ...]:
        """The sum of `scores` over all quality bands."""
        return tuple(map(sum, zip((0,) * SCORE_BINS, *self.scores.values(), strict=True)))
