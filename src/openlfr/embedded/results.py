"""The counts of a run: in memory while it lasts, from the records at its end."""

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
    from openlfr.embedded.opening import Opened
    from openlfr.embedded.tallies import RunTallies


class RunResults:
    """The counts of one run by camera and by baseline."""

    def __init__(
        self, opened: Opened, cameras: Sequence[str], tallies: RunTallies, desk: AlertDesk
    ) -> None:
        """Prepare the results of the named cameras."""
        self._opened = opened
        self._cameras = tuple(cameras)
        self._tallies = tallies
        self._desk = desk

    def counts(self) -> tuple[CameraCounts, ...]:
        """Counts by camera now, from memory."""
        raised = self._desk.raised
        return tuple(
            replace(
                self._tallies.counts(name),
                alerts_opened=raised[name, EventKind.OPENED],
                alerts_joined=raised[name, EventKind.JOINED],
            )
            for name in self._cameras
        )

    def record_counts(self, problems: list[str]) -> tuple[CameraCounts, ...]:
        """Record the last tallies, and return the counts as recorded.

        If the records do not answer, the counts come from memory, and `problems` grows by a
        sentence.
        """
        run, records = self._opened.run, self._opened.records
        try:
            self._tallies.close()
            recorded = counts_from_records(
                records.tallies,
                run.deployment,
                list(self._cameras),
                records.alerts.events_of_run(run.deployment, run.epoch),
                epoch=run.epoch,
            )
        except Unavailable as error:
            problems.append(f"The counts could not be recorded: {error}")
            return self.counts()
        return tuple(map(self._tallies.sized, recorded.values()))

    def figures(self) -> FiguresByBaseline:
        """Figures by baseline; empty if the records do not answer."""
        run, records = self._opened.run, self._opened.records
        with suppress(Unavailable):  # `record_counts` reports it
            return figures_by_baseline(
                records.baselines,
                records.tallies,
                run.deployment,
                records.alerts.events_of_run(run.deployment, run.epoch),
                epoch=run.epoch,
            )
        return FiguresByBaseline()
