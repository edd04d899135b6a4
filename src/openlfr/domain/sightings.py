"""A sighting: analysis took a track for a person on the watchlist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.faces import Box


@dataclass(frozen=True, slots=True)
class Sighting:
    """A track whose best candidate reached the threshold.

    Attributes:
        sighting_id: UUID text, made by `domain.ids`: a replay gives the same, and nobody can
            compute it who has not the deployment's key.
        deployment: Id of the deployment.
        epoch, seq: Of the frame in which the probe's best face stands.
        captured_at: Of that frame, UTC.
        box: Of that face, source pixels.
        score: Of the track's first search that reached the threshold: an alert waits for no better
            face, so a later search of the same track may reach more. A cosine similarity,
            lowered as `stages.probe` says; it does not depend on who else is listed.
        quality: Of the best face, 0 to 100.
        reference_id: The reference that answered best.
        conflicts_in_frame: Whether an earlier sighting of the same subject came from another track
            that was in one frame with this track; then one of the two is somebody else.
        time_assumed: Whether nothing says when its film was made, so that `captured_at` counts
            from the start of the run.
    """

    sighting_id: str
    deployment: str
    camera: str
    epoch: int
    seq: int
    subject: str
    watchlist: str
    reference_id: str
    captured_at: datetime
    box: Box
    score: float
    threshold: float
    quality: float
    conflicts_in_frame: bool = False
    time_assumed: bool = False
