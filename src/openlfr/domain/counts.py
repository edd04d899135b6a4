"""What became of frames, faces and tracks: the counts that reports and tallies have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.summary import Lost, NotSearched
    from openlfr.domain.watching import Unwatched


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
    tracks_not_searched: Mapping[NotSearched, int] = field(default_factory=dict)
    tracks_lost: Mapping[Lost, int] = field(default_factory=dict)
    sightings: int = 0
    watched_us: int = 0
    unwatched_us: Mapping[Unwatched, int] = field(default_factory=dict)

    @property
    def tracks_live(self) -> int:
        """Tracks that have begun and are not accounted for: they live, or died with a worker."""
        return self.tracks_begun - self.tracks_closed
