"""Sightings: tracks that were matched with a person on the watchlist."""

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
        sighting_id: UUID text from `domain.ids`. A replay produces the same id, and nobody can
            compute the id without the deployment's key.
        deployment: Id of the deployment.
        epoch, seq: Position of the frame with the probe's best face.
        captured_at: Capture time of that frame, UTC.
        box: Box of that face, source pixels.
        score: Score of the track's first search that reached the threshold: a cosine similarity,
            lowered by the rules of `stages.probe` and independent of the rest of the list. An alert
            does not wait for a better face, so a later search of the same track may score higher.
        quality: Quality of the best face, 0 to 100.
        reference_id: The reference with the best score.
        conflicts_in_frame: Whether an earlier sighting of the same subject came from another track
            that was in one frame with this track. If so, one of the two tracks shows somebody else.
        time_assumed: Whether the recording time of the video is unknown, so that `captured_at`
            counts from the start of the run.
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
