"""What became of frames, faces and tracks: the counts that reports and tallies have in common."""

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
    TOO_SHORT = "too_short"  # gone before enough frames of it were seen
    NOBODY_LISTED = "nobody_listed"  # good enough, but nobody was searchable then


class LossReason(StrEnum):
    """Why a track was never searched although it had not ended: it was dropped while it lived."""

    INTERRUPTED = "interrupted"  # the run or its worker was ended
    PAUSED = "paused"  # the deployment was not in force any more: paused, stopped, altered
    MOVED = "moved"  # another worker has its camera now
    FAILED = "failed"  # something failed while it was looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of one camera. Every frame is in one of those whose name begins with `frames_`.

    Of tracks, once none lives any more: begun = searched + not searched, by reason + lost, by
    reason. A track that was searched and then dropped while it lived was compared, so it counts as
    searched.

    Attributes:
        frames_sampled_away: Left out on purpose, since the camera's `fps` asks for fewer.
        frames_dropped_late: Too old when their turn came, or overtaken by a newer one.
        frames_outside_hours: Captured outside the deployment's hours; not looked at.
        frames_paused: Came while the deployment was not in force for their camera: paused, not
            started, its state not known, or another camera's; not looked at.
        frames_unreadable: Could not be decoded or analysed.
        frames_analysed: Went through the detector.
        faces_detected: Detections in those frames; one person gives many.
        tracks_begun: Passes ("faces seen"). Not people: in a crowd one walk often breaks into two
            or three tracks.
        tracks_closed: Those that live no more: searched, not searched and lost ones.
        tracks_matched: Searched ones that gave at least one sighting.
        tracks_control: Searched ones that are in no histogram of strangers: taken for a control
            subject, or compared with control subjects alone.
        tracks_matched_control: Matched ones that were taken for a control subject.
        tracks_not_searched: That ended without a search, by reason.
        tracks_lost: That were dropped while they lived, and not searched until then, by reason.
        sightings: One for each subject that a track is taken for, so there may be more of them
            than tracks matched.
        watched_us: Microseconds of capture that were watched (see `domain.watching`).
        unwatched_us: Those that were not, by reason.
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
        """Tracks that have begun and are not accounted for: they live, or died with a worker."""
        return self.tracks_begun - self.tracks_closed


@dataclass(frozen=True, slots=True)
class CameraCounts(Counts):
    """What became of all that one camera gave in a run.

    Attributes:
        frames_decoded: Sum of the other counts of frames.
        tracks_searched: Compared with the watchlist at least once.
        scores: Best score of each searched track that is no control subject's against those who
            are looked for, counted by `SCORE_EDGES`' bins.
        fine_scores: The same by fine bins (`domain.scores`).
        control_scores: Best score of each searched track against control subjects, by fine bins.
        measures: What the faces of all passes were like.
        first_captured_at, last_captured_at: Of the analysed frames, UTC; None without any.
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
    """The sum of several cameras' counts, under a name of its own."""
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
