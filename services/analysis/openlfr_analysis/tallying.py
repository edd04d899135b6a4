"""Counts what becomes of each camera's frames, faces and tracks, and gives it out as tallies.

Frames may come twice, to this worker or, after a kill, to another one. So that nothing is counted
twice, tallies lie on a grid: of each epoch one for the frames 0 to 249, one for 250 to 499, and so
on. Whoever counts a stretch of the grid again gives it the same `tally_id`. And so that nothing is
lost, a frame that may not be lost is acknowledged only when its tally is with Kafka: a stretch that
was not yet told is then delivered again from its beginning.

Where a stretch ends early (the epoch is over; the camera has fallen silent, or is somebody else's
now) the tally says so in its range, and the next begins behind it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openlfr.domain.summary import SCORE_BINS, score_bin
from openlfr.domain.tallies import Reporter, Tally, quality_band

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.analysis import ClosedTrack
    from openlfr.domain.frames import EncodedFrame
    from openlfr.domain.summary import Lost, NotSearched

STRETCH = 250
"""Frames of the source: 10 s of a camera that gives 25 a second."""


@dataclass(slots=True)
class _Open:
    """The stretch that a camera is in.

    Attributes:
        first: Where it begins.
        newest: Of the frames in it that came.
    """

    epoch: int
    first: int
    newest: int
    first_at: datetime
    newest_at: datetime
    frames: Counter[str] = field(default_factory=Counter)
    not_searched: Counter[NotSearched] = field(default_factory=Counter)
    lost: Counter[Lost] = field(default_factory=Counter)
    scores: dict[int, list[int]] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last frame number of its part of the grid."""
        return (self.first // STRETCH + 1) * STRETCH - 1

    def holds(self, epoch: int, seq: int) -> bool:
        return epoch == self.epoch and self.first <= seq <= self.last


class Tallying:
    """The counts of all cameras of a worker; one thread uses it."""

    def __init__(self, deployment: str) -> None:
        """Count for a deployment, by its name."""
        self._deployment = deployment
        self._open: dict[str, _Open] = {}
        self._told: dict[str, tuple[int, int]] = {}  # camera -> epoch, last frame of a tally
        self._done: list[Tally] = []

    def leaves(self, camera: str, epoch: int, seq: int) -> bool:
        """Whether this frame ends the stretch that its camera is in."""
        stretch = self._open.get(camera)
        return stretch is not None and not stretch.holds(epoch, seq)

    def epoch_of(self, camera: str) -> int | None:
        """The epoch of the stretch that a camera is in; None where it is in none."""
        stretch = self._open.get(camera)
        return None if stretch is None else stretch.epoch

    def enter(self, frame: EncodedFrame) -> None:
        """The next frame of a camera has come, to be counted by what becomes of it."""
        camera = frame.camera
        stretch = self._open.get(camera)
        if stretch is not None and not stretch.holds(frame.epoch, frame.seq):
            self._close(camera, stretch.last)
            stretch = None
        if stretch is None:
            self._open[camera] = self._begin(frame)
        else:
            stretch.newest, stretch.newest_at = frame.seq, frame.captured_at

    def count(self, camera: str, what: str, number: int = 1) -> None:
        """Add to one of the tally's counts, by its name."""
        if (stretch := self._open.get(camera)) is not None:
            stretch.frames[what] += number

    def closed(self, track: ClosedTrack) -> None:
        """Count a track that has ended or was dropped."""
        stretch = self._open.get(track.camera)
        if stretch is None:
            return
        stretch.frames["tracks_closed"] += 1
        if track.score is not None:
            band = stretch.scores.setdefault(quality_band(track.quality or 0.0), [0] * SCORE_BINS)
            band[score_bin(track.score)] += 1
            stretch.frames["tracks_matched"] += track.matched
        elif track.reason is not None:
            stretch.not_searched[track.reason] += 1
        elif track.lost is not None:
            stretch.lost[track.lost] += 1

    def cut(self, camera: str) -> None:
        """End a camera's stretch with the newest frame in it, if there is one."""
        if (stretch := self._open.get(camera)) is not None:
            self._close(camera, stretch.newest)

    def forget(self, camera: str) -> None:
        """Drop what was counted of a camera and not told: somebody else counts it."""
        self._open.pop(camera, None)
        self._told.pop(camera, None)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Those with a stretch that was not told yet."""
        return tuple(self._open)

    def is_told(self, camera: str, epoch: int, seq: int) -> bool:
        """Whether a frame that came is in no stretch that is still counted."""
        stretch = self._open.get(camera)
        return stretch is None or not stretch.holds(epoch, seq)

    def take(self) -> list[Tally]:
        """The tallies that are ready; each is given once."""
        done, self._done = self._done, []
        return done

    def _begin(self, frame: EncodedFrame) -> _Open:
        first = frame.seq // STRETCH * STRETCH
        epoch, last = self._told.get(frame.camera, (frame.epoch, -1))
        if epoch == frame.epoch and last < frame.seq:
            first = max(first, last + 1)
        return _Open(
            frame.epoch, first, frame.seq, frame.captured_at, frame.captured_at
        )  # fmt: skip

    def _close(self, camera: str, last: int) -> None:
        stretch = self._open.pop(camera)
        self._told[camera] = stretch.epoch, last
        self._done.append(
            Tally(
                deployment=self._deployment,
                camera=camera,
                epoch=stretch.epoch,
                reporter=Reporter.ANALYSIS,
                first_seq=stretch.first,
                last_seq=last,
                first_captured_at=stretch.first_at,
                last_captured_at=stretch.newest_at,
                tracks_not_searched=dict(stretch.not_searched),
                tracks_lost=dict(stretch.lost),
                scores={band: tuple(counts) for band, counts in stretch.scores.items()},
                **stretch.frames,
            )
        )
