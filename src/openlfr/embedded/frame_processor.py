"""Processes the frames of a run: analyse or skip, count, raise alerts, save checkpoints."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.frames import StartOrigin
from openlfr.domain.runs import Checkpoint
from openlfr.domain.watching import UnwatchedReason

if TYPE_CHECKING:
    from datetime import timedelta

    from openlfr.domain.analysis import Analysis, SightingWithEvidence
    from openlfr.domain.counts import LossReason
    from openlfr.domain.frames import Frame
    from openlfr.embedded.baselines import RunBaselines
    from openlfr.embedded.deployment_state import RecordedDeployment
    from openlfr.embedded.desk import AlertDesk
    from openlfr.embedded.feeds import Arrival, Ended
    from openlfr.embedded.opening import Opened
    from openlfr.embedded.tallies import RunTallies
    from openlfr.pipeline import Analyser


class FrameProcessor:
    """Processes frames, one at a time; one thread uses it."""

    def __init__(
        self,
        opened: Opened,
        deployment: RecordedDeployment,
        analyser: Analyser,
        *,
        tallies: RunTallies,
        desk: AlertDesk,
        baselines: RunBaselines,
        max_age: timedelta | None,
    ) -> None:
        """Process nothing yet.

        Args:
            opened: The cameras' sources, and the records of checkpoints.
            deployment: Decides at which times faces may be searched.
            analyser: Finds, tracks and compares faces.
            tallies: Counts every frame and track.
            desk: Raises alerts.
            baselines: Supplies each new index with its recorded baseline.
            max_age: Age at which a frame is skipped as late; None: never.
        """
        self._opened = opened
        self._deployment = deployment
        self._analyser = analyser
        self._tallies = tallies
        self._desk = desk
        self._baselines = baselines
        self._max_age = max_age

    def process(self, arrival: Arrival) -> None:
        """Analyse a frame, or count why it is skipped."""
        frame, deployment = arrival.frame, self._deployment.now
        self._tallies.arrived(arrival)
        if not deployment.covers(frame.captured_at):
            reason = (
                UnwatchedReason.OUTSIDE_HOURS if deployment.in_force else UnwatchedReason.PAUSED
            )
            self._tallies.left_out(frame, reason)
            return
        if (
            self._max_age is not None
            and time.monotonic() - arrival.due > self._max_age.total_seconds()
        ):
            self._tallies.late(frame)
            return
        self._apply_new_index()
        self._tallies.looks(frame)
        analysis = self._analyser.analyse([frame])
        self._tallies.looked(frame, analysis)
        self._raise_alerts(analysis)

    def finish_camera(self, ended: Ended) -> None:
        """Close the last tracks of a camera whose source has ended."""
        analysis = self._analyser.finish(ended.camera)
        self._tallies.ended(ended, analysis)
        self._raise_alerts(analysis)

    def drop_live_tracks(self, reason: LossReason) -> None:
        """Drop and count all live tracks: the run was paused, or ended before its sources.

        At the end of a run no checkpoint counts these tracks: a resumed run analyses them again
        from their beginning.
        """
        for camera in self._analyser.cameras:
            self._tallies.dropped(self._analyser.drop_camera(camera, reason))

    def save_checkpoint(self, frame: Frame) -> bool:
        """Save a checkpoint after a frame, where a resumed run continues.

        Returns:
            False, and nothing is saved, while the camera has a live track.
        """
        if not self._analyser.is_quiet(frame.camera):
            return False
        self._tallies.record()
        counters = self._tallies.checkpoint(frame.camera)
        checkpoint = Checkpoint(frame.camera, frame.seq + 1, counters)
        self._opened.records.runs.save(self._opened.run.run_id, checkpoint)
        return True

    def _apply_new_index(self) -> None:
        """Search in a new index from this frame on, and count for its baseline."""
        if ready := self._baselines.take():
            index, ref = ready
            self._analyser.use_index(index)
            self._tallies.begin_baseline(ref)

    def _raise_alerts(self, analysis: Analysis) -> None:
        for sighting in map(self._mark_assumed_time, analysis.sightings):
            self._desk.raise_alert(sighting)

    def _mark_assumed_time(self, sighted: SightingWithEvidence) -> SightingWithEvidence:
        """Mark a sighting from a file whose recording date is unknown."""
        source = self._opened.sources[sighted.sighting.camera]
        if source.start_origin is not StartOrigin.ASSUMED:
            return sighted
        return replace(sighted, sighting=replace(sighted.sighting, time_assumed=True))
