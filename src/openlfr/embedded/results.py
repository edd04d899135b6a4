"""The counts of a run: from memory during the run, from the records at its end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.alerts import EventKind
from openlfr.domain.baseline_figures import FiguresByBaseline
from openlfr.domain.errors import Unavailable
from openlfr.operations.baseline_figures import figures_by_baseline
from openlfr.operations.camera_counts import counts_from_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.counts import CameraCounts
    from openlfr.embedded.desk import AlertDesk
    from openlfr.embedded.opening import RunParts
    from openlfr.embedded.tallies import RunTallies


class RunResults:
    """The counts of one run by camera and by baseline."""

    def __init__(
        self, parts: RunParts, cameras: Sequence[str], tallies: RunTallies, desk: AlertDesk
    ) -> None:
        """Prepare the results of the named cameras."""
        self._parts = parts
        self._cameras = tuple(cameras)
        self._tallies = tallies
        self._desk = desk

    def counts(self) -> tuple[CameraCounts, ...]:
        """Return the present counts by camera, from memory."""
        event_counts = self._desk.event_counts
        return tuple(
            replace(
                self._tallies.counts(name),
                alerts_opened=event_counts[name, EventKind.OPENED],
                alerts_joined=event_counts[name, EventKind.JOINED],
            )
            for name in self._cameras
        )

    def record_counts(self, problems: list[str]) -> tuple[CameraCounts, ...]:
        """Record the last tallies, and return the recorded counts.

        If the records do not answer, return the counts from memory, and add a sentence to
        `problems`.
        """
        run, records = self._parts.run, self._parts.records
        try:
            self._tallies.close()
            recorded_counts = counts_from_records(
                records.tallies,
                run.deployment,
                list(self._cameras),
                records.alerts.events_of_run(run.deployment, run.epoch),
                epoch=run.epoch,
            )
        except Unavailable as error:
            problems.append(f"The counts could not be recorded: {error}")
            return self.counts()
        return tuple(map(self._tallies.add_frame_size, recorded_counts.values()))

    def figures(self) -> FiguresByBaseline:
        """Return the figures by baseline; empty if the records do not answer."""
        run, records = self._parts.run, self._parts.records
        with suppress(Unavailable):  # `record_counts` reports the error
            return figures_by_baseline(
                records.baselines,
                records.tallies,
                run.deployment,
                records.alerts.events_of_run(run.deployment, run.epoch),
                epoch=run.epoch,
            )
        return FiguresByBaseline()
