"""The tallies of a run, as in a city-wide installation; each is recorded as soon as it is complete.

A checkpoint contains the counts that are not recorded yet, so that a resumed run continues to
count. On resuming, tallies of frames after the checkpoint are removed, since the resumed run
analyses these frames again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openlfr.domain.capture_tally_collector import OUTSIDE_HOURS, PAUSED, CaptureTallyCollector
from openlfr.domain.counts import CameraCounts, LossReason, NotSearchedReason, add_up
from openlfr.domain.tallies import Reporter, Tally
from openlfr.domain.tally_collector import TallyCollector
from openlfr.domain.watching import UnwatchedReason
from openlfr.operations.camera_counts import counts_from_records, counts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from openlfr.adapters.capture import Source
    from openlfr.adapters.sql.records import Records
    from openlfr.domain.analysis import Analysis
    from openlfr.domain.baseline_openings import BaselineRef
    from openlfr.domain.frames import Frame
    from openlfr.domain.runs import Checkpoint, Run
    from openlfr.embedded.feeds import Arrival, CameraEnd


@dataclass(slots=True)
class _Losses:
    """Numbers of frames that a camera's source did not yield, up to the camera's last arrival."""

    sampled_away: int = 0
    overtaken: int = 0
    unreadable: int = 0


class RunTallies:
    """The tallies of one run; only one thread may use them."""

    def __init__(self, records: Records, run: Run, sources: Mapping[str, Source]) -> None:
        """Begin with all counts at zero."""
        self._records = records
        self._run = run
        self._complete: list[Tally] = []
        self._collector = TallyCollector(run.deployment)
        self._losses = {name: _Losses() for name in sources}
        self._captures = {
            name: CaptureTallyCollector(
                run.deployment, name, self._losses[name], self._add_complete, live=source.is_live
            )
            for name, source in sources.items()
        }
        self._recorded: dict[str, CameraCounts] = {}
        self._sizes: dict[str, tuple[int, int]] = {}

    def resume(self, cameras: Collection[str], checkpoints: Mapping[str, Checkpoint]) -> None:
        """Continue from the checkpoints; count a camera without a checkpoint from its beginning."""
        tallies, run = self._records.tallies, self._run
        for camera in cameras:
            checkpoint = checkpoints.get(camera)
            counters: Any = {} if checkpoint is None else checkpoint.counters
            next_seq = checkpoint.next_seq if checkpoint else 0
            for reporter, first_seq in _first_repeated_frames(next_seq, counters).items():
                tallies.discard_from(run.deployment, run.epoch, camera, reporter, first_seq)
            if checkpoint is None:
                continue
            if "analysis" not in counters:
                tallies.record([_tally_of_old_checkpoint(run, checkpoint)], at=datetime.now(UTC))
                analysis: Any = {"open": None, "told": [run.epoch, next_seq - 1], "watch": {}}
                counters = {"analysis": analysis, "size": counters.get("frame_size", (0, 0))}
            self._collector.restore(camera, counters["analysis"])
            self._sizes[camera] = tuple(counters["size"])
            if "capture" in counters and camera in self._captures:
                self._captures[camera].restore(counters["capture"])
        self._recorded = counts_from_records(
            tallies, run.deployment, list(cameras), (), epoch=run.epoch
        )

    def begin_baseline(self, ref: BaselineRef) -> None:
        """Count under another baseline, from each camera's next frame on."""
        self._collector.begin_baseline(ref)

    def count_arrival(self, arrival: Arrival) -> None:
        """Count an arrived frame, and the frames lost before it."""
        self._add_losses(arrival.frame.camera, arrival)
        self._captures[arrival.frame.camera].frame(arrival.frame)

    def count_skipped(self, frame: Frame, reason: UnwatchedReason) -> None:
        """Count a frame that is skipped outside the authorised hours or in a pause."""
        self._captures[frame.camera].count(
            PAUSED if reason is UnwatchedReason.PAUSED else OUTSIDE_HOURS
        )
        self._collector.record_skipped_at_capture(frame, reason)

    def count_late(self, frame: Frame) -> None:
        """Count a frame that is skipped as too old."""
        self._collector.record_arrival(frame)
        self._collector.record_skipped(frame, UnwatchedReason.LATE)

    def begin_analysis(self, frame: Frame) -> None:
        """Count a frame that is analysed next, and note its size."""
        self._collector.record_arrival(frame)
        self._sizes[frame.camera] = (frame.image.shape[1], frame.image.shape[0])

    def count_analysed(self, frame: Frame, analysis: Analysis) -> None:
        """Count an analysed frame and its results."""
        self._collector.record_analysed(frame, sum(faces or 0 for faces in analysis.faces))
        self._collector.record_results(analysis)

    def close_camera(self, end: CameraEnd, analysis: Analysis) -> None:
        """Close the tallies of a camera that has ended, with the results of its last tracks."""
        self._collector.record_results(analysis)
        self._collector.close_stretch(end.camera)
        self._add_losses(end.camera, end)
        self._captures[end.camera].close()

    def count_dropped_tracks(self, analysis: Analysis) -> None:
        """Count dropped tracks."""
        self._collector.record_results(analysis)

    def record(self) -> None:
        """Record the complete tallies.

        Raises:
            Unavailable: The records do not accept the tallies; the next call tries again.
        """
        self._complete += self._collector.take()
        if not self._complete:
            return
        self._records.tallies.record(self._complete, at=datetime.now(UTC))
        for tally in self._complete:
            camera = tally.camera
            parts = (self._recorded_counts(camera), counts_of(tally))
            self._recorded[camera] = add_up(parts, camera)
        self._complete = []

    def close(self) -> None:
        """Complete and record every tally at the end of the run.

        Raises:
            Unavailable: The records do not accept the tallies.
        """
        for camera in self._collector.cameras:
            self._collector.close_stretch(camera)
        for capture in self._captures.values():
            capture.close()
        self.record()

    def checkpoint(self, camera: str) -> dict[str, object]:
        """Return the unrecorded counts of a camera for a checkpoint; call `record` before."""
        return {
            "analysis": self._collector.to_json(camera),
            "capture": self._captures[camera].to_json(),
            "size": list(self._sizes.get(camera, (0, 0))),
        }

    def counts(self, camera: str) -> CameraCounts:
        """Return a camera's recorded plus unrecorded counts, without its alerts."""
        capture = self._captures.get(camera)
        unfinished = [
            *(each for each in self._complete if each.camera == camera),
            self._collector.open_tally(camera),
            capture.open_tally() if capture else None,
        ]
        tallies = (counts_of(each) for each in unfinished if each is not None)
        parts = [self._recorded_counts(camera), *tallies]
        return self.add_frame_size(add_up(tuple(parts), camera))

    def add_frame_size(self, counts: CameraCounts) -> CameraCounts:
        """Return the counts with the size of the camera's pictures, which no tally contains."""
        return replace(counts, frame_size=self._sizes.get(counts.camera, (0, 0)))

    def _recorded_counts(self, camera: str) -> CameraCounts:
        return self._recorded.get(camera, CameraCounts(camera))

    def _add_complete(self, tally: Tally) -> bool:
        self._complete.append(tally)
        return True

    def _add_losses(self, camera: str, arrival: Arrival | CameraEnd) -> None:
        losses = self._losses[camera]
        losses.sampled_away += arrival.sampled_away
        losses.overtaken += arrival.overtaken
        losses.unreadable += arrival.unreadable


def _first_repeated_frames(next_seq: int, counters: Any) -> dict[Reporter, int]:
    """Return, for each reporter, the first frame from which recorded tallies are discarded.

    Args:
        next_seq: The first frame after the checkpoint.
        counters: Counters of the checkpoint. A tally that was open at the checkpoint began at an
            earlier frame, and the resumed run continues this tally.
    """
    first = {Reporter.ANALYSIS: next_seq, Reporter.INGEST: next_seq}
    if stretch := counters.get("analysis", {}).get("open"):
        first[Reporter.ANALYSIS] = min(next_seq, stretch["first"])
    if capture := counters.get("capture"):
        first[Reporter.INGEST] = min(next_seq, capture["next"])
    return first


def _tally_of_old_checkpoint(run: Run, checkpoint: Checkpoint) -> Tally:
    """Convert a checkpoint of a version without tallies to one tally.

    Such a checkpoint contains no qualities, so all its scores count in quality band 0.
    """
    counters: Any = checkpoint.counters
    names = ("frames_sampled_away", "frames_dropped_late", "frames_outside_hours",
             "frames_unreadable", "frames_analysed", "faces_detected", "tracks_matched",
             "sightings")  # fmt: skip
    not_searched = {
        NotSearchedReason(word): number
        for word, number in counters.get("tracks_not_searched", {}).items()
    }
    lost = {LossReason(word): number for word, number in counters.get("tracks_lost", {}).items()}
    searched = counters.get("tracks_searched", 0)
    closed = searched + sum(not_searched.values()) + sum(lost.values())
    moments = [counters.get(f"{end}_captured_at") for end in ("first", "last")]
    first, last = (datetime.fromisoformat(each) if each else run.started_at for each in moments)
    return Tally(
        deployment=run.deployment,
        camera=checkpoint.camera,
        epoch=run.epoch,
        reporter=Reporter.ANALYSIS,
        first_seq=0,
        last_seq=max(checkpoint.next_seq - 1, 0),
        first_captured_at=first,
        last_captured_at=last,
        tracks_begun=counters.get("tracks_begun", closed),
        tracks_closed=closed,
        tracks_not_searched=not_searched,
        tracks_lost=lost,
        scores={0: tuple(counters["scores"])} if searched and counters.get("scores") else {},
        **{name: counters.get(name, 0) for name in names},
    )
