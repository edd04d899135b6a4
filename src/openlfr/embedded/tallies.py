"""What a run counts: the tallies of a city, recorded as soon as they are whole.

A checkpoint holds what was counted and not yet recorded, so that a resumed run counts on. What was
recorded of frames behind the checkpoint is taken back then: they are looked at again.
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
class _LeftOut:
    """What a camera's source did not yield, as far as its frames have arrived."""

    sampled_away: int = 0
    overtaken: int = 0
    unreadable: int = 0


class RunTallies:
    """The tallies of one run; one thread uses it."""

    def __init__(self, records: Records, run: Run, sources: Mapping[str, Source]) -> None:
        """Count nothing yet."""
        self._records = records
        self._run = run
        self._whole: list[Tally] = []
        self._tallying = TallyCollector(run.deployment)
        self._left_out = {name: _LeftOut() for name in sources}
        self._captures = {
            name: CaptureTallyCollector(
                run.deployment, name, self._left_out[name], self._take, live=source.live
            )
            for name, source in sources.items()
        }
        self._recorded: dict[str, CameraCounts] = {}
        self._sizes: dict[str, tuple[int, int]] = {}

    def resume(self, cameras: Collection[str], checkpoints: Mapping[str, Checkpoint]) -> None:
        """Count on from the checkpoints; cameras without one are counted from their beginning."""
        tallies, run = self._records.tallies, self._run
        for camera in cameras:
            at = checkpoints.get(camera)
            counters: Any = {} if at is None else at.counters
            for reporter, first in _counted_again(at.next_seq if at else 0, counters).items():
                tallies.take_back(run.deployment, run.epoch, camera, reporter, first)
            if at is None:
                continue
            if "analysis" not in counters:
                earlier = _of_an_earlier_version(run, at)
                tallies.record([earlier], at=datetime.now(UTC))
                told: Any = {"open": None, "told": [run.epoch, at.next_seq - 1], "watch": {}}
                counters = {"analysis": told, "size": counters.get("frame_size", (0, 0))}
            self._tallying.restore(camera, counters["analysis"])
            self._sizes[camera] = tuple(counters["size"])
            if "capture" in counters and camera in self._captures:
                self._captures[camera].restore(counters["capture"])
        self._recorded = counts_from_records(
            tallies, run.deployment, list(cameras), (), epoch=run.epoch
        )

    def begin_baseline(self, ref: BaselineRef) -> None:
        """Count for another baseline from each camera's next frame on."""
        self._tallying.begin_baseline(ref)

    def arrived(self, arrival: Arrival) -> None:
        """A frame came from its source, and what that left out before it."""
        self._leave_out(arrival.frame.camera, arrival)
        self._captures[arrival.frame.camera].frame(arrival.frame)

    def left_out(self, frame: Frame, why: UnwatchedReason) -> None:
        """It is not looked at, being of no authorised hour or of a pause."""
        self._captures[frame.camera].count(
            PAUSED if why is UnwatchedReason.PAUSED else OUTSIDE_HOURS
        )
        self._tallying.left_out(frame, why)

    def late(self, frame: Frame) -> None:
        """It is not looked at, being too old."""
        self._tallying.enter(frame)
        self._tallying.missed(frame, UnwatchedReason.LATE)

    def looks(self, frame: Frame) -> None:
        """It will be looked at next."""
        self._tallying.enter(frame)
        self._sizes[frame.camera] = (frame.image.shape[1], frame.image.shape[0])

    def looked(self, frame: Frame, analysis: Analysis) -> None:
        """It was, and this is what it gave."""
        self._tallying.looked(frame, sum(faces or 0 for faces in analysis.faces))
        self._tallying.take_in(analysis)

    def ended(self, ended: Ended, analysis: Analysis) -> None:
        """A camera gives no more; its last tracks gave this."""
        self._tallying.take_in(analysis)
        self._tallying.cut(ended.camera)
        self._leave_out(ended.camera, ended)
        self._captures[ended.camera].close()

    def dropped(self, analysis: Analysis) -> None:
        """Tracks were dropped since the run was ended."""
        self._tallying.take_in(analysis)

    def record(self) -> None:
        """Record what is whole.

        Raises:
            Unavailable: The records do not take it; it is tried again by the next call.
        """
        self._whole += self._tallying.take()
        if not self._whole:
            return
        self._records.tallies.record(self._whole, at=datetime.now(UTC))
        for tally in self._whole:
            camera = tally.camera
            parts = (self._of(camera), counts_of(tally))
            self._recorded[camera] = add_up(parts, camera)
        self._whole = []

    def close(self) -> None:
        """End every tally, and record it: the run is over.

        Raises:
            Unavailable: The records do not take it.
        """
        for camera in self._tallying.cameras:
            self._tallying.cut(camera)
        for capture in self._captures.values():
            capture.close()
        self.record()

    def checkpoint(self, camera: str) -> dict[str, object]:
        """What a checkpoint must hold, all that is whole being recorded."""
        return {
            "analysis": self._tallying.to_json(camera),
            "capture": self._captures[camera].to_json(),
            "size": list(self._sizes.get(camera, (0, 0))),
        }

    def counts(self, camera: str) -> CameraCounts:
        """A camera's counts now, but for its alerts."""
        capture = self._captures.get(camera)
        unfinished = [
            *(each for each in self._whole if each.camera == camera),
            self._tallying.open_tally(camera),
            capture.open_tally() if capture else None,
        ]
        parts = [self._of(camera), *(counts_of(each) for each in unfinished if each is not None)]
        return self.sized(add_up(tuple(parts), camera))

    def sized(self, counts: CameraCounts) -> CameraCounts:
        """The same with the size of the camera's pictures, which no tally knows."""
        return replace(counts, frame_size=self._sizes.get(counts.camera, (0, 0)))

    def _of(self, camera: str) -> CameraCounts:
        return self._recorded.get(camera, CameraCounts(camera))

    def _take(self, tally: Tally) -> bool:
        self._whole.append(tally)
        return True

    def _leave_out(self, camera: str, said: Arrival | Ended) -> None:
        account = self._left_out[camera]
        account.sampled_away += said.sampled_away
        account.overtaken += said.overtaken
        account.unreadable += said.unreadable


def _counted_again(next_seq: int, counters: Any) -> dict[Reporter, int]:
    """From which frame on each reporter's tallies come again: what a checkpoint holds as well."""
    first = {Reporter.ANALYSIS: next_seq, Reporter.INGEST: next_seq}
    if stretch := counters.get("analysis", {}).get("open"):
        first[Reporter.ANALYSIS] = min(next_seq, stretch["first"])
    if capture := counters.get("capture"):
        first[Reporter.INGEST] = min(next_seq, capture["next"])
    return first


def _of_an_earlier_version(run: Run, at: Checkpoint) -> Tally:
    """What a checkpoint of a version without tallies has counted, as one; of no known quality."""
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
