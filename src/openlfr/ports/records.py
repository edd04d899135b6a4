"""Ports of the records: the database of entries, alerts, deployments, tallies and acts.

`Records` has the methods that read. Changes by an act of a person or of OpenLFR itself need a
`UnitOfWork`: one transaction for the change and its audit event, so that neither exists without the
other. Events of alerts and tallies are no acts, so services record them without one.

The ports of entries, alerts and deployments are in modules of their own beside this one.
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
        DeploymentChanges,
        DeploymentRecords,
    )
    from openlfr.ports.watchlist import WatchlistChanges, WatchlistRecords


class Tallies(Protocol):
    """Counts of frames, faces and tracks by their outcomes, each counted once."""

    def record(self, tallies: Sequence[Tally], *, at: datetime) -> int:
        """Record tallies; return the number of those with a new `tally_id`."""
        ...

    def discard_from(
        self, deployment: str, epoch: int, camera: str, reporter: Reporter, first_seq: int
    ) -> None:
        """Erase the counts of a camera's frames from `first_seq` on."""
        ...

    def totals(self, deployment: str, *, epoch: int | None = None) -> list[CameraTotals]:
        """The counts of each camera, ordered by the camera's name."""
        ...

    def histograms(
        self, deployment: str, camera: str | None = None, *, epoch: int | None = None
    ) -> Histograms:
        """The sums of the histograms of all tallies."""
        ...

    def by_baseline(
        self, deployment: str, *, epoch: int | None = None
    ) -> Mapping[BaselineRef, tuple[CameraTotals, Histograms]]:
        """The counts and histograms of all cameras together, by the baseline in their tallies."""
        ...


class AuditLog(Protocol):
    """The log of all acts and the people who did them."""

    def latest(self) -> RecordedAct | None:
        """The act with the latest time, of those since the clock was last confirmed."""
        ...

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Acts in commit order: all, or those on one kind of object or on one object."""
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

    def record(self, event: AuditEvent) -> None:
        """Record an act. It is written at the end of the transaction."""
        ...


class Records(Protocol):
    """One database of records."""

    @property
    def watchlist(self) -> WatchlistRecords:
        """Entries, to read."""
        ...

    @property
    def alerts(self) -> AlertRecording:
        """Alerts, to read and to record events of cameras."""
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
    def audit(self) -> AuditLog:
        """The acts, to read."""
        ...

    @property
    def tallies(self) -> Tallies:
        """Counts of frames, faces and tracks, to read and to record."""
        ...

    @property
    def erased_rows_location(self) -> str:
        """For people: where erased rows are until `erase_for_good` succeeds; "" if nowhere."""
        ...

    def erase_for_good(self) -> bool:
        """Remove erased rows from the disk now; False while another process reads the database."""
        ...

    def written_files(self) -> Sequence[WrittenFiles]:
        """Files of alert lines and reports that runs with these records have written."""
        ...

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """A transaction: committed at the end of the `with` block, rolled back on an error.

        Do nothing slow in the block (no model, no vault, no other server): other writers wait.
        """
        ...
