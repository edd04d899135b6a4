"""Ports of the records: the database of entries, alerts, deployments, tallies and acts.

`Records` has the methods that read. A change by an act of a person or of OpenLFR itself needs a
`UnitOfWork`: one transaction contains the change and its audit event, or neither. Events of alerts
and tallies are not acts, so services record them without a `UnitOfWork`.

The ports of entries, alerts and deployments are in the other modules of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from openlfr.domain.audit import AuditEvent, RecordedAct
    from openlfr.domain.baseline_openings import BaselineRef
    from openlfr.domain.runs import WrittenFiles
    from openlfr.domain.tallies import CameraTotals, Histograms, Reporter, Tally
    from openlfr.ports.alerts import AlertChanges, AlertRecording
    from openlfr.ports.deployments import (
        BaselineChanges,
        BaselineRecords,
        CalibrationChanges,
        CalibrationRecords,
        DeploymentChanges,
        DeploymentRecords,
    )
    from openlfr.ports.passages import PassageChanges, PassageRecords
    from openlfr.ports.watchlist import WatchlistChanges, WatchlistRecords


class Tallies(Protocol):
    """Counts of frames, faces and tracks by outcome; each tally is counted once."""

    def record(self, tallies: Sequence[Tally], *, at: datetime) -> int:
        """Record tallies; return the number of tallies with a new `tally_id`."""
        ...

    def discard_from(
        self, deployment: str, epoch: int, camera: str, reporter: Reporter, first_seq: int
    ) -> None:
        """Delete this reporter's tallies that end at frame `first_seq` or later."""
        ...

    def totals(self, deployment: str, *, epoch: int | None = None) -> list[CameraTotals]:
        """Return the counts of each camera, ordered by the camera's name."""
        ...

    def histograms(
        self, deployment: str, camera: str | None = None, *, epoch: int | None = None
    ) -> Histograms:
        """Return a deployment's summed histograms; None means all cameras or all runs."""
        ...

    def by_baseline(
        self, deployment: str, *, epoch: int | None = None
    ) -> Mapping[BaselineRef, tuple[CameraTotals, Histograms]]:
        """Return the counts and histograms of all cameras together for each baseline."""
        ...


class AuditLog(Protocol):
    """The log of all acts, with the people who did them."""

    def latest(self) -> RecordedAct | None:
        """Return the act with the latest time among the acts since the last clock confirmation."""
        ...

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Return the acts in commit order, optionally on one kind of object or one object."""
        ...


class UnitOfWork(Protocol):
    """One transaction: changes and their audit events, all or nothing."""

    @property
    def watchlist(self) -> WatchlistChanges:
        """Changes of entries."""
        ...

    @property
    def alerts(self) -> AlertChanges:
        """Changes of alerts."""
        ...

    @property
    def deployments(self) -> DeploymentChanges:
        """Changes of deployments."""
        ...

    @property
    def baselines(self) -> BaselineChanges:
        """Changes of baselines."""
        ...

    @property
    def passages(self) -> PassageChanges:
        """Changes of planned passages."""
        ...

    @property
    def calibrations(self) -> CalibrationChanges:
        """New calibrations."""
        ...

    def record(self, event: AuditEvent) -> None:
        """Record an act, which is written at the end of the transaction."""
        ...


class Records(Protocol):
    """One database of records."""

    @property
    def watchlist(self) -> WatchlistRecords:
        """Entries, to read."""
        ...

    @property
    def alerts(self) -> AlertRecording:
        """Alerts, to read, and the recording of cameras' events."""
        ...

    @property
    def deployments(self) -> DeploymentRecords:
        """Deployments, to read."""
        ...

    @property
    def baselines(self) -> BaselineRecords:
        """Baselines, to read."""
        ...

    @property
    def passages(self) -> PassageRecords:
        """Planned passages, to read."""
        ...

    @property
    def calibrations(self) -> CalibrationRecords:
        """Calibrations, to read."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The acts, to read."""
        ...

    @property
    def tallies(self) -> Tallies:
        """Counts of frames, faces and tracks, to read and to record."""
        ...

    @property
    def erased_rows_location(self) -> str:
        """The place of erased rows until `erase_for_good` succeeds, for a message; "" if none."""
        ...

    def erase_for_good(self) -> bool:
        """Remove erased rows from the disk; return False while another process reads the data."""
        ...

    def written_files(self) -> Sequence[WrittenFiles]:
        """Return the files of alert lines and reports that were written with these records."""
        ...

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Begin a transaction: committed at the end of the `with` block, rolled back on an error.

        Other writers wait, so use no model, no vault and no other server in the block.
        """
        ...
