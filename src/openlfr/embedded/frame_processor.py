"""Processes the frames of a run: analyses, skips, counts, raises alerts, saves checkpoints."""

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
    from openlfr.embedded.feeds import Arrival, CameraEnd
    from openlfr.embedded.opening import RunParts
    from openlfr.embedded.tallies import RunTallies
    from openlfr.pipeline import Analyser


class FrameProcessor:
    """Processes one frame at a time; only one thread may use it."""

    def __init__(
        self,
        parts: RunParts,
        deployment: RecordedDeployment,
        analyser: Analyser,
        *,
        tallies: RunTallies,
        desk: AlertDesk,
        baselines: RunBaselines,
        max_age: timedelta | None,
    ) -> None:
        """Prepare to process frames.

        Args:
            parts: Open parts of the run; the sources and the records are used.
            deployment: The deployment, which defines the times at which faces may be searched.
            analyser: Detects, tracks and compares faces.
            tallies: Counts every frame and track.
            desk: Raises alerts.
            baselines: Supplies each new index with its baseline.
            max_age: Age from which a frame is skipped as late; None for no limit.
        """
        self._parts = parts
        self._deployment = deployment
        self._analyser = analyser
        self._tallies = tallies
        self._desk = desk
        self._baselines = baselines
        self._max_age = max_age

    def process(self, arrival: Arrival) -> None:
        """Analyse a frame, or count it as skipped with its reason."""
        frame, deployment = arrival.frame, self._deployment.current
        self._tallies.count_arrival(arrival)
        if not deployment.covers(frame.captured_at):
            reason = (
                UnwatchedReason.OUTSIDE_HOURS if deployment.is_in_force else UnwatchedReason.PAUSED
            )
            self._tallies.count_skipped(frame, reason)
            return
        if (
            self._max_age is not None
            and time.monotonic() - arrival.due_at_s > self._max_age.total_seconds()
        ):
            self._tallies.count_late(frame)
            return
        self._apply_new_index()
        self._tallies.begin_analysis(frame)
        analysis = self._analyser.analyse([frame])
        self._tallies.count_analysed(frame, analysis)
        self._raise_alerts(analysis)

    def finish_camera(self, end: CameraEnd) -> None:
        """Close the last tracks of a camera whose source has ended."""
        analysis = self._analyser.close_camera(end.camera)
        self._tallies.close_camera(end, analysis)
        self._raise_alerts(analysis)

    def drop_live_tracks(self, reason: LossReason) -> None:
        """Drop and count all live tracks, because the run was paused or ended before its sources.

        At the end of a run no checkpoint counts these tracks, since a resumed run analyses their
        frames again.
        """
        for camera in self._analyser.cameras:
            self._tallies.count_dropped_tracks(self._analyser.drop_camera(camera, reason))

    def save_checkpoint(self, frame: Frame) -> bool:
        """Save a checkpoint after a frame; a resumed run continues with the next frame.

        Returns:
            Whether the checkpoint was saved. None is saved while the camera has a live track.
        """
        if not self._analyser.is_quiet(frame.camera):
            return False
        self._tallies.record()
        counters = self._tallies.checkpoint(frame.camera)
        checkpoint = Checkpoint(frame.camera, frame.seq + 1, counters)
        self._parts.records.runs.save(self._parts.run.run_id, checkpoint)
        return True

    def _apply_new_index(self) -> None:
        """If there is a new index, search it from this frame on, and count under its baseline."""
        if new_index := self._baselines.pop_new_index():
            index, ref = new_index
            self._analyser.use_index(index)
            self._tallies.begin_baseline(ref)

    def _raise_alerts(self, analysis: Analysis) -> None:
        for sighting in map(self._mark_assumed_time, analysis.sightings):
            self._desk.raise_alert(sighting)

    def _mark_assumed_time(self, sighted: SightingWithEvidence) -> SightingWithEvidence:
        """Return the sighting, with `time_assumed` set if its file has no known recording date."""
        source = self._parts.sources[sighted.sighting.camera]
        if source.start_origin is not StartOrigin.ASSUMED:
            return sighted
        return replace(sighted, sighting=replace(sighted.sighting, time_assumed=True))
