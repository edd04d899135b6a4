"""The tallies of a run, the same as city-wide, recorded as soon as they are complete.

A checkpoint contains the counts that are not recorded yet, so that a resumed run continues them.
Tallies of frames after the checkpoint are removed on resuming, since a resumed run analyses these
frames again.
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
    from openlfr.embedded.feeds import Arrival, Ended


@dataclass(slots=True)
class _Losses:
    """Frames that a camera's source did not yield, up to its last arrival."""

    sampled_away: int = 0
    overtaken: int = 0
    unreadable: int = 0


class RunTallies:
    """The tallies of one run; one thread uses it."""

    def __init__(self, records: Records, run: Run, sources: Mapping[str, Source]) -> None:
        """Count nothing yet."""
        self._records = records
        self._run = run
        self._complete: list[Tally] = []
        self._collector = TallyCollector(run.deployment)
        self._losses = {name: _Losses() for name in sources}
        self._captures = {
            name: CaptureTallyCollector(
                run.deployment, name, self._losses[name], self._take, live=source.is_live
            )
            for name, source in sources.items()
        }
        self._recorded: dict[str, CameraCounts] = {}
        self._sizes: dict[str, tuple[int, int]] = {}

    def resume(self, cameras: Collection[str], checkpoints: Mapping[str, Checkpoint]) -> None:
        """Continue from the checkpoints; a camera without one is counted from its beginning."""
        tallies, run = self._records.tallies, self._run
        for camera in cameras:
            at = checkpoints.get(camera)
            counters: Any = {} if at is None else at.counters
            for reporter, first in _first_repeated(at.next_seq if at else 0, counters).items():
                tallies.discard_from(run.deployment, run.epoch, camera, reporter, first)
            if at is None:
                continue
            if "analysis" not in counters:
                tallies.record([_tally_of_old_checkpoint(run, at)], at=datetime.now(UTC))
                analysis: Any = {"open": None, "told": [run.epoch, at.next_seq - 1], "watch": {}}
                counters = {"analysis": analysis, "size": counters.get("frame_size", (0, 0))}
            self._collector.restore(camera, counters["analysis"])
            self._sizes[camera] = tuple(counters["size"])
            if "capture" in counters and camera in self._captures:
                self._captures[camera].restore(counters["capture"])
        self._recorded = counts_from_records(
            tallies, run.deployment, list(cameras), (), epoch=run.epoch
        )

    def begin_baseline(self, ref: BaselineRef) -> None:
        """Count for another baseline, from each camera's next frame on."""
        self._collector.begin_baseline(ref)

    def arrived(self, arrival: Arrival) -> None:
        """Count a frame that arrived, and the frames lost before it."""
        self._add_losses(arrival.frame.camera, arrival)
        self._captures[arrival.frame.camera].frame(arrival.frame)

    def left_out(self, frame: Frame, why: UnwatchedReason) -> None:
        """Count a frame skipped outside the authorised hours or in a pause."""
        self._captures[frame.camera].count(
            PAUSED if why is UnwatchedReason.PAUSED else OUTSIDE_HOURS
        )
        self._collector.record_skipped_at_capture(frame, why)

    def late(self, frame: Frame) -> None:
        """Count a frame skipped as too old."""
        self._collector.record_arrival(frame)
        self._collector.record_skipped(frame, UnwatchedReason.LATE)

    def looks(self, frame: Frame) -> None:
        """Count a frame that is analysed next."""
        self._collector.record_arrival(frame)
        self._sizes[frame.camera] = (frame.image.shape[1], frame.image.shape[0])

    def looked(self, frame: Frame, analysis: Analysis) -> None:
        """Count the results of an analysed frame."""
        self._collector.record_analysed(frame, sum(faces or 0 for faces in analysis.faces))
        self._collector.record_results(analysis)

    def ended(self, ended: Ended, analysis: Analysis) -> None:
        """Close the tallies of a camera that has ended, with the results of its last tracks."""
        self._collector.record_results(analysis)
        self._collector.close_stretch(ended.camera)
        self._add_losses(ended.camera, ended)
        self._captures[ended.camera].close()

    def dropped(self, analysis: Analysis) -> None:
        """Count tracks that were dropped."""
        self._collector.record_results(analysis)

    def record(self) -> None:
        """Record the complete tallies.

        Raises:
            Unavailable: The records do not accept them; the next call tries again.
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
            Unavailable: The records do not accept them.
        """
        for camera in self._collector.cameras:
            self._collector.close_stretch(camera)
        for capture in self._captures.values():
            capture.close()
        self.record()

    def checkpoint(self, camera: str) -> dict[str, object]:
        """The counts for a checkpoint, after `record`."""
        return {
            "analysis": self._collector.to_json(camera),
            "capture": self._captures[camera].to_json(),
            "size": list(self._sizes.get(camera, (0, 0))),
        }

    def counts(self, camera: str) -> CameraCounts:
        """A camera's counts now, without its alerts."""
        capture = self._captures.get(camera)
        unfinished = [
            *(each for each in self._complete if each.camera == camera),
            self._collector.open_tally(camera),
            capture.open_tally() if capture else None,
        ]
        tallies = (counts_of(each) for each in unfinished if each is not None)
        parts = [self._recorded_counts(camera), *tallies]
        return self.sized(add_up(tuple(parts), camera))

    def sized(self, counts: CameraCounts) -> CameraCounts:
        """Add the size of the camera's pictures, which tallies do not contain."""
        return replace(counts, frame_size=self._sizes.get(counts.camera, (0, 0)))

    def _recorded_counts(self, camera: str) -> CameraCounts:
        return self._recorded.get(camera, CameraCounts(camera))

    def _take(self, tally: Tally) -> bool:
        self._complete.append(tally)
        return True

    def _add_losses(self, camera: str, arrival: Arrival | Ended) -> None:
        losses = self._losses[camera]
        losses.sampled_away += arrival.sampled_away
        losses.overtaken += arrival.overtaken
        losses.unreadable += arrival.unreadable


def _first_repeated(next_seq: int, counters: Any) -> dict[Reporter, int]:
    """First frame of each reporter that a resumed run counts again, with the checkpoint's."""
    first = {Reporter.ANALYSIS: next_seq, Reporter.INGEST: next_seq}
    if stretch := counters.get("analysis", {}).get("open"):
        first[Reporter.ANALYSIS] = min(next_seq, stretch["first"])
    if capture := counters.get("capture"):
        first[Reporter.INGEST] = min(next_seq, capture["next"])
    return first


def _tally_of_old_checkpoint(run: Run, at: Checkpoint) -> Tally:
    """One tally from a checkpoint of a version without tallies; the quality is unknown."""
    known: Any = at.counters
    names = ("frames_sampled_away", "frames_dropped_late", "frames_outside_hours",
             "frames_unreadable", "frames_analysed", "faces_detected", "tracks_matched",
             "sightings")  # fmt: skip
    why = {NotSearchedReason(word): n for word, n in known.get("tracks_not_searched", {}).items()}
    lost = {LossReason(word): n for word, n in known.get("tracks_lost", {}).items()}
    searched = known.get("tracks_searched", 0)
    closed = searched + sum(why.values()) + sum(lost.values())
    moments = [known.get(f"{which}_captured_at") for which in ("first", "last")]
    first, last = (datetime.fromisoformat(each) if each else run.started_at for each in moments)
    return Tally(
        deployment=run.deployment,
        camera=at.camera,
        epoch=run.epoch,
        reporter=Reporter.ANALYSIS,
        first_seq=0,
        last_seq=max(at.next_seq - 1, 0),
        first_captured_at=first,
        last_captured_at=last,
        tracks_begun=known.get("tracks_begun", closed),
        tracks_closed=closed,
        tracks_not_searched=why,
        tracks_lost=lost,
        scores={0: tuple(known["scores"])} if searched and known.get("scores") else {},
        **{name: known.get(name, 0) for name in names},
    )
