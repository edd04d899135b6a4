"""Counts of frames, faces and tracks by result, for reports and tallies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from openlfr.domain.measures import Measures
from openlfr.domain.scores import SCORE_BINS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.watching import UnwatchedReason


class NotSearchedReason(StrEnum):
    """Why a track ended without a search."""

    TOO_SMALL = "too_small"  # never enough pixels between the eyes
    TOO_POOR = "too_poor"  # large enough, but blurred, turned away, dark or hidden
    TOO_SHORT = "too_short"  # ended before enough frames showed the face
    NOBODY_LISTED = "nobody_listed"  # good enough for a search, but the list was empty


class LossReason(StrEnum):
    """Why a live track was dropped before its first search."""

    INTERRUPTED = "interrupted"  # the run or the worker ended
    PAUSED = "paused"  # the deployment was paused, stopped or altered
    MOVED = "moved"  # the camera moved to another worker
    FAILED = "failed"  # its analysis failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of one camera. Each frame is counted in exactly one `frames_...` attribute.

    When no track is live: begun = searched + not searched (by reason) + lost (by reason). A track
    that was dropped after its first search counts as searched.

    Attributes:
        frames_sampled_away: Frames skipped on purpose because the camera's `fps` is lower.
        frames_dropped_late: Frames that were too old at their turn, or replaced by a newer frame.
        frames_outside_hours: Frames captured outside the deployment's hours; not analysed.
        frames_paused: Frames that arrived while the deployment was not in force for their camera
            (paused, not started, in an unknown state, or without this camera); not analysed.
        frames_unreadable: Frames that could not be decoded or analysed.
        frames_analysed: Frames that the detector processed.
        faces_detected: Detections in the analysed frames; one person causes many detections.
        tracks_begun: Number of passes ("faces seen"). It is not a number of people: in a crowd,
            one walk often breaks into two or three tracks.
        tracks_closed: Tracks that are no longer live: searched, not searched and lost tracks.
        tracks_matched: Searched tracks with at least one sighting.
        tracks_control: Searched tracks that no histogram of strangers counts: tracks matched with
            a control subject, or compared only with control subjects.
        tracks_matched_control: Tracks matched with a control subject.
        tracks_not_searched: Tracks that ended without a search, by reason.
        tracks_lost: Live tracks dropped before their first search, by reason.
        sightings: Number of matches of a track with a subject. A track can match several subjects,
            so there can be more sightings than matched tracks.
        watched_us: Watched capture time, microseconds (see `domain.watching`).
        unwatched_us: Unwatched capture time, microseconds, by reason.
    """

    frames_sampled_away: int = 0
    frames_dropped_late: int = 0
    frames_outside_hours: int = 0
    frames_paused: int = 0
    frames_unreadable: int = 0
    frames_analysed: int = 0
    faces_detected: int = 0
    tracks_begun: int = 0
    tracks_closed: int = 0
    tracks_matched: int = 0
    tracks_control: int = 0
    tracks_matched_control: int = 0
    tracks_not_searched: Mapping[NotSearchedReason, int] = field(default_factory=dict)
    tracks_lost: Mapping[LossReason, int] = field(default_factory=dict)
    sightings: int = 0
    watched_us: int = 0
    unwatched_us: Mapping[UnwatchedReason, int] = field(default_factory=dict)

    @property
    def tracks_live(self) -> int:
        """Tracks that began and are not closed: live tracks, and tracks of killed workers."""
        return self.tracks_begun - self.tracks_closed


@dataclass(frozen=True, slots=True)
class CameraCounts(Counts):
    """The counts of one camera over a whole run.

    Attributes:
        frames_decoded: Sum of the other counts of frames.
        tracks_searched: Tracks compared with the watchlist at least once.
        scores: Histogram of the searched tracks' best scores against listed people who are not
            control subjects, in the bins of `SCORE_EDGES`; without `tracks_control`.
        fine_scores: The same scores by fine bins (`domain.scores`).
        control_scores: Histogram of the searched tracks' best scores against control subjects, by
            fine bins.
        measures: Measurements of the best face of every pass.
        first_captured_at, last_captured_at: Capture times of the first and last analysed frame,
            UTC; None without an analysed frame.
        frame_size: (width, height) in pixels; (0, 0) without a frame.
    """

    camera: str
    frames_decoded: int = 0
    tracks_searched: int = 0
    alerts_opened: int = 0
    alerts_joined: int = 0
    scores: tuple[int, ...] = (0,) * SCORE_BINS
    fine_scores: Mapping[int, int] = field(default_factory=dict)
    control_scores: Mapping[int, int] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    first_captured_at: datetime | None = None
    last_captured_at: datetime | None = None
    frame_size: tuple[int, int] = (0, 0)


def add_up(cameras: tuple[CameraCounts, ...], name: str = "all cameras") -> CameraCounts:
    """Add up the counts of several cameras.

    Args:
        cameras: The counts to add.
        name: Name of the sum, in its attribute `camera`.
    """
    numbers = [f.name for f in fields(CameraCounts) if f.type == "int"]
    mappings = ("tracks_not_searched", "tracks_lost", "unwatched_us", "fine_scores")
    sums: dict[str, Any] = {key: Counter() for key in (*mappings, "control_scores")}
    for camera in cameras:
        for key, counter in sums.items():
            counter.update(getattr(camera, key))
    sums = {key: dict(counter) for key, counter in sums.items()}
    sums |= {key: sum(getattr(c, key) for c in cameras) for key in numbers}
    firsts = [c.first_captured_at for c in cameras if c.first_captured_at is not None]
    lasts = [c.last_captured_at for c in cameras if c.last_captured_at is not None]
    return CameraCounts(
        camera=name,
        measures=sum((c.measures for c in cameras), Measures()),
        scores=tuple(sum(c.scores[i] for c in cameras) for i in range(SCORE_BINS)),
        first_captured_at=min(firsts, default=None),
        last_captured_at=max(lasts, default=None),
        **sums,
    )
