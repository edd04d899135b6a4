"""Counts frames, faces and tracks by camera and result, and returns the counts as tallies.

Both modes use this collector: a worker of a city publishes the tallies, and `openlfr run` records
them.

Kafka may deliver a frame again, to this worker or, after a kill, to another worker. So that no
frame is counted twice, the frames of an epoch are divided into stretches at fixed numbers: 0 to
249, 250 to 499, and so on. Each stretch has one tally, and a stretch that is counted again has a
tally with the same `tally_id`. So that no count is lost, a lossless frame is acknowledged only
after its tally is published: otherwise the whole stretch is delivered again.

A stretch ends early if its epoch ends, or if its camera falls silent or moves to another worker.
Its tally then has a shorter range, and the next stretch begins with the next frame.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from openlfr.domain.analysis import LostTrack, SearchedTrack, UnsearchedTrack
from openlfr.domain.baseline_openings import BaselineRef
from openlfr.domain.measures import Measures
from openlfr.domain.moments import microseconds
from openlfr.domain.scores import SCORE_BINS, fine_bin, score_bin
from openlfr.domain.tallies import Reporter, Tally, quality_band
from openlfr.domain.tally_stretch import STRETCH, Stretch
from openlfr.domain.watching import UnwatchedReason, Watchtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.analysis import Analysis, ClosedTrack
    from openlfr.domain.baseline_openings import BaselineAdoption
    from openlfr.domain.frames import EncodedFrame, Frame

SKIPPED_COUNTS = {
    UnwatchedReason.LATE: "frames_dropped_late",
    UnwatchedReason.UNREADABLE: "frames_unreadable",
    UnwatchedReason.OUTSIDE_HOURS: "frames_outside_hours",
    UnwatchedReason.PAUSED: "frames_paused",
}
"""The count of a tally to which a skipped frame is added, by reason."""


class TallyCollector:
    """Collects the tallies of all cameras of a worker; not thread-safe."""

    def __init__(self, deployment: str, ref: BaselineRef | None = None) -> None:
        """Start without counts.

        Args:
            deployment: Id of the deployment.
            ref: The baseline in use; None without a baseline.
        """
        self._deployment = deployment
        self._ref = ref or BaselineRef()
        self._adoption: BaselineAdoption | None = None
        self._announced: set[str] = set()  # cameras with a tally that contains `_adoption`
        self._watches: dict[str, Watchtime] = {}
        self._open: dict[str, Stretch] = {}
        self._tallied: dict[str, tuple[int, int]] = {}  # camera -> epoch, last frame of a tally
        self._finished: list[Tally] = []

    def ends_stretch(self, camera: str, epoch: int, seq: int) -> bool:
        """Return whether a frame would close its camera's open stretch; False without one."""
        stretch = self._open.get(camera)
        return stretch is not None and not (stretch.covers(epoch, seq) and stretch.ref == self._ref)

    def epoch_of(self, camera: str) -> int | None:
        """Return the epoch of a camera's open stretch; None without an open stretch."""
        stretch = self._open.get(camera)
        return None if stretch is None else stretch.epoch

    def record_arrival(self, frame: Frame | EncodedFrame) -> None:
        """Assign a new frame to a stretch; close the camera's previous stretch if necessary."""
        camera = frame.camera
        stretch = self._open.get(camera)
        if stretch is not None and not stretch.covers(frame.epoch, frame.seq):
            self._close(camera, stretch.last)
            stretch = None
        elif stretch is not None and stretch.ref != self._ref:
            self._close(camera, stretch.newest)
            stretch = None
        if stretch is None:
            self._open[camera] = self._begin(frame)
        else:
            stretch.newest, stretch.newest_at = frame.seq, frame.captured_at

    def count(self, camera: str, what: str, number: int = 1) -> None:
        """Add a number to the count of this name (see `Tally`) in the camera's open stretch."""
        if (stretch := self._open.get(camera)) is not None:
            stretch.frames[what] += number

    def record_analysed(self, frame: Frame, faces: int) -> None:
        """Count an analysed frame and the faces detected in it."""
        self.count(frame.camera, "frames_analysed")
        self.count(frame.camera, "faces_detected", faces)
        self._watch(frame.camera).record_analysed(microseconds(frame.captured_at))

    def record_skipped(self, frame: Frame | EncodedFrame, why: UnwatchedReason) -> None:
        """Count a frame that was skipped after its arrival."""
        self.count(frame.camera, SKIPPED_COUNTS[why])
        self._watch(frame.camera).record_skipped(microseconds(frame.captured_at), why)

    def record_skipped_at_capture(self, frame: Frame, why: UnwatchedReason) -> None:
        """Record unwatched time for a frame that only the capture tallies count."""
        self._watch(frame.camera).record_skipped(microseconds(frame.captured_at), why)

    def record_pause(self) -> None:
        """Mark all cameras as unwatched because the deployment is not in force."""
        for watch in self._watches.values():
            watch.record_pause()

    def record_results(self, analysis: Analysis) -> None:
        """Count the tracks that began, ended or were dropped, and sightings, in open stretches."""
        for camera in analysis.begun_cameras:
            self.count(camera, "tracks_begun")
        for track in analysis.closed_tracks:
            self._count_closed(track)
        for each in analysis.sightings:
            self.count(each.sighting.camera, "sightings")

    def begin_baseline(self, ref: BaselineRef, adoption: BaselineAdoption | None = None) -> None:
        """Count under another baseline; the next frame of each camera begins a new stretch.

        A track counts for the baseline in which the track ends. A track that ends because its
        camera has no more frames counts for the baseline of the last frame.

        Args:
            ref: The new baseline.
            adoption: The content of the baseline for the first tally of each camera; None if the
                tallies need not contain it.
        """
        self._ref, self._adoption = ref, adoption
        self._announced.clear()

    def _count_closed(self, track: ClosedTrack) -> None:
        stretch = self._open.get(track.camera)
        if stretch is None:
            return
        stretch.frames["tracks_closed"] += 1
        if track.face is not None:
            stretch.measures += Measures.from_face(track.face)
        match track:
            case SearchedTrack():
                self._count_searched(stretch, track)
            case UnsearchedTrack():
                stretch.not_searched[track.reason] += 1
            case LostTrack():
                stretch.lost[track.reason] += 1

    def _count_searched(self, stretch: Stretch, track: SearchedTrack) -> None:
        """Add the scores of a track to the histograms (see `SearchedTrack`)."""
        stretch.frames["tracks_matched"] += track.is_matched
        stretch.frames["tracks_matched_control"] += track.is_control
        if track.control_score is not None:
            stretch.control_scores[fine_bin(track.control_score)] += 1
        if track.score is None or track.is_control:
            stretch.frames["tracks_control"] += 1
            return
        band = stretch.scores.setdefault(quality_band(track.quality), [0] * SCORE_BINS)
        band[score_bin(track.score)] += 1
        stretch.fine_scores[fine_bin(track.score)] += 1

    def _watch(self, camera: str) -> Watchtime:
        return self._watches.setdefault(camera, Watchtime())

    def close_stretch(self, camera: str) -> None:
        """Close a camera's open stretch, if any, at its newest frame."""
        if (stretch := self._open.get(camera)) is not None:
            self._close(camera, stretch.newest)

    def discard(self, camera: str) -> None:
        """Discard the open counts of a camera whose frames another worker counts again."""
        self._open.pop(camera, None)
        self._tallied.pop(camera, None)
        self._watches.pop(camera, None)
        self._announced.discard(camera)

    def open_tally(self, camera: str) -> Tally | None:
        """Return the tally of a camera's open stretch so far; None without an open stretch."""
        stretch = self._open.get(camera)
        if stretch is None:
            return None
        watch = self._watch(camera)
        return self._tally(camera, stretch, stretch.newest, watch.watched, dict(watch.unwatched))

    def to_json(self, camera: str) -> dict[str, Any]:
        """Return a camera's state as JSON values for `restore`."""
        stretch, watch = self._open.get(camera), self._watch(camera)
        return {
            "open": None if stretch is None else stretch.to_json(),
            "told": self._tallied.get(camera),
            "watch": {
                "until": watch.until,
                "why": watch.why,
                "watched": watch.watched,
                "unwatched": {str(why): us for why, us in watch.unwatched.items()},
            },
        }

    def restore(self, camera: str, values: Mapping[str, Any]) -> None:
        """Restore a camera's state from the values of `to_json`."""
        if values["open"] is not None:
            self._open[camera] = Stretch.from_json(values["open"])
        if values["told"] is not None:
            epoch, last = values["told"]
            self._tallied[camera] = epoch, last
        if watch := dict(values["watch"]):
            watch["why"] = watch["why"] and UnwatchedReason(watch["why"])
            unwatched = watch["unwatched"].items()
            watch["unwatched"] = Counter({UnwatchedReason(why): us for why, us in unwatched})
            self._watches[camera] = Watchtime(**watch)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras with an open stretch."""
        return tuple(self._open)

    def is_tallied(self, camera: str, epoch: int, seq: int) -> bool:
        """Return whether the stretch of a frame that has arrived is already closed."""
        stretch = self._open.get(camera)
        return stretch is None or not stretch.covers(epoch, seq)

    def take(self) -> list[Tally]:
        """Remove and return the finished tallies."""
        finished, self._finished = self._finished, []
        return finished

    def _begin(self, frame: Frame | EncodedFrame) -> Stretch:
        first = frame.seq // STRETCH * STRETCH
        epoch, last = self._tallied.get(frame.camera, (frame.epoch, -1))
        if epoch == frame.epoch and last < frame.seq:
            first = max(first, last + 1)
        at = frame.captured_at
        adoption = None if frame.camera in self._announced else self._adoption
        self._announced.add(frame.camera)
        return Stretch(frame.epoch, first, frame.seq, at, at, self._ref, adoption)

    def _close(self, camera: str, last: int) -> None:
        stretch = self._open.pop(camera)
        self._tallied[camera] = stretch.epoch, last
        watched, unwatched = self._watch(camera).take()
        self._finished.append(self._tally(camera, stretch, last, watched, unwatched))

    def _tally(
        self,
        camera: str,
        stretch: Stretch,
        last: int,
        watched: int,
        unwatched: dict[UnwatchedReason, int],
    ) -> Tally:
        return Tally(
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
            fine_scores=dict(stretch.fine_scores),
            control_scores=dict(stretch.control_scores),
            measures=stretch.measures,
            baseline=stretch.ref.baseline_id,
            baseline_since=stretch.ref.adopted_at,
            adoption=stretch.adoption,
            watched_us=watched,
            unwatched_us=unwatched,
            **stretch.frames,
        )
