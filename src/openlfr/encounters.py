"""The encounters of a camera's tracks: tracks that were in one frame, and their sightings.

Two tracks in one frame are two people. If both are sighted as one subject, one of the sightings is
wrong. Only numbers of tracks, and frames and subjects of their sightings are retained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Container


class Encounters:
    """The encounters of one camera's epoch, by track number."""

    def __init__(self) -> None:
        self._neighbours: dict[int, set[int]] = {}  # live track -> tracks in one frame with it
        self._sighted: dict[int, dict[str, int]] = {}  # track -> subject -> frame (seq)

    def record_frame(self, tracks: Collection[int]) -> None:
        """Record that these tracks were detected in one frame."""
        for track in tracks:
            self._neighbours.setdefault(track, set()).update(tracks)

    def neighbours(self, track: int) -> frozenset[int]:
        """Return this track and the tracks that were in one frame with it."""
        return frozenset(self._neighbours.get(track, ()))

    def record_sighting(self, track: int, subject: str, seq: int) -> None:
        """Record that the track was sighted as this subject in this frame."""
        self._sighted.setdefault(track, {})[subject] = seq

    def is_sighted(self, track: int, subject: str) -> bool:
        """Return whether the track has been sighted as this subject."""
        return subject in self._sighted.get(track, ())

    def frames_of_sightings(self, tracks: Collection[int], subject: str) -> set[int]:
        """Return the frames in which one of these tracks was sighted as the subject."""
        sighted = (self._sighted.get(track, {}) for track in tracks)
        return {names[subject] for names in sighted if subject in names}

    def prune(self, live: Container[int]) -> None:
        """Drop ended tracks that were in no frame with a live track."""
        self._neighbours = {
            track: {each for each in others if each in live or each in self._sighted}
            for track, others in self._neighbours.items()
            if track in live
        }
        near_live = set().union(*self._neighbours.values())
        self._sighted = {
            track: names
            for track, names in self._sighted.items()
            if track in live or track in near_live
        }
