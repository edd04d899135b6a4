"""What became of frames, faces and tracks: the counts that reports and tallies have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.summary import NotSearched


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of one camera. Every frame is in one of those whose name begins with `frames_`.

    Attributes:
        frames_sampled_away: Left out on purpose, since the camera's `fps` asks for fewer.
        frames_dropped_late: Too old when their turn came, or overtaken by a newer one.
        frames_outside_hours: Captured outside the deployment's hours; not looked at.
        frames_unreadable: Could not be decoded or analysed.
        frames_analysed: Went through the detector.
        faces_detected: Detections in those frames; one person gives many.
        tracks_closed: Passes ("faces seen"), compared with the watchlist or not. Not people: in a
            crowd one walk often breaks into two or three tracks.
        tracks_not_searched: Counts by reason.
    """

    frames_sampled_away: int = 0
    frames_dropped_late: int = 0
    frames_outside_hours: int = 0
    frames_unreadable: int = 0
    frames_analysed: int = 0
    faces_detected: int = 0
    tracks_closed: int = 0
    tracks_not_searched: Mapping[NotSearched, int] = field(default_factory=dict)
    sightings: int = 0
