"""Which of one camera's tracks stood in one frame, and whom each was taken for.

Two tracks that stood in one frame are two people: where both are taken for one subject, one of them
is somebody else. Nothing of another track is kept here but its number, and the frames in which it
was sighted as somebody who is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Container


class Encounters:
    """The encounters of one camera's epoch; tracks go by their numbers."""

    def __init__(self) -> None:
        self._beside: dict[int, set[int]] = {}  # live track -> those seen in one frame with it
        self._sighted: dict[int, dict[str, int]] = {}  # track -> subject -> frame (seq)

    def together(self, tracks: Collection[int]) -> None:
        """These stand in one frame."""
        for track in tracks:
            self._beside.setdefault(track, set()).update(tracks)

    def beside(self, track: int) -> frozenset[int]:
        """Those that stood in one frame with a track so far, itself among them."""
        return frozenset(self._beside.get(track, ()))

    def sight(self, track: int, subject: str, seq: int) -> None:
        """The track was sighted as this subject, in this frame."""
        self._sighted.setdefault(track, {})[subject] = seq

    def is_sighted(self, track: int, subject: str) -> bool:
        """Whether the track was sighted as this subject already."""
        return subject in self._sighted.get(track, ())

    def frames(self, tracks: Collection[int], subject: str) -> set[int]:
        """In which frames these tracks were sighted as a subject."""
        sighted = (self._sighted.get(track, {}) for track in tracks)
        return {names[subject] for names in sighted if subject in names}

    def prune(self, live: Container[int]) -> None:
        """Forget what no live track can be asked about any more."""
        self._beside = {
            track: {each for each in others if each in live or each in self._sighted}
            for track, others in self._beside.items()
            if track in live
        }
        asked = set().union(*self._beside.values())
        self._sighted = {
            track: names
            for track, names in self._sighted.items()
            if track in live or track in asked
        }
