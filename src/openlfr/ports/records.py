"""The records: who is listed, what was alerted and decided, and who did it.

What only reads stands on `Records`; what changes by an act of a person or of OpenLFR itself stands
on a `UnitOfWork`, which holds the change and its audit event in one transaction: neither exists
without the other. What services record of what happened in front of a camera (events of alerts,
tallies) is no act, and needs none.

Entries, alerts and deployments have files of their own beside this one.
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
    """What became of frames, faces and tracks, counted once each."""

    def record(self, told: Sequence[Tally], *, at: datetime) -> int:
        """Record tallies; how many of them were new by their `tally_id`."""
        ...

    def take_back(
        self, deployment: str, epoch: int, camera: str, reporter: Reporter, first_seq: int
    ) -> None:
        """Forget what was counted of a camera's frames from this one on."""
        ...

    def totals(self, deployment: str, *, epoch: int | None = None) -> list[CameraTotals]:
        """What became of everything that each camera saw, by the camera's name."""
        ...

    def histograms(
        self, deployment: str, camera: str | None = None, *, epoch: int | None = None
    ) -> Histograms:
        """The histograms of all tallies together."""
        ...

    def by_baseline(
        self, deployment: str, *, epoch: int | None = None
    ) -> Mapping[BaselineRef, tuple[CameraTotals, Histograms]]:
        """What all cameras together saw, by what their tallies say of the baseline."""
        ...


class AuditLog(Protocol):
    """What was done, and by whom."""

    def latest(self) -> RecordedAct | None:
        """The act that was done last by its time, of those since the clock was confirmed last."""
        ...

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Acts in the order of their commits, of one kind of object or one object if given."""
        ...


class UnitOfWork(Protocol):
    """One transaction: changes, and the audit events of them. All or nothing."""

    @property
    def watchlist(self) -> WatchlistChanges:
        """Entries."""
        ...

    @property
    def alerts(self) -> AlertChanges:
        """Alerts."""
        ...

    @property
    def deployments(self) -> DeploymentChanges:
        """Deployments."""
        ...

    @property
    def baselines(self) -> BaselineChanges:
        """Baselines."""
        ...

    def record(self, event: AuditEvent) -> None:
        """Record an act; it is written last, when the transaction ends."""
        ...


class Records(Protocol):
    """One database of records."""

    @property
    def watchlist(self) -> WatchlistRecords:
        """Entries, to read."""
        ...

    @property
    def alerts(self) -> AlertRecording:
        """Alerts, to read, and what happened in front of a camera, to record."""
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
        """What became of frames, faces and tracks."""
        ...

    @property
    def where(self) -> str:
        """What keeps erased rows until `erase_for_good` could finish, for a person; "": nothing."""
        ...

    def erase_for_good(self) -> bool:
        """Have erased rows leave the disk now; False if another process's reading is in the way."""
        ...

    def written_files(self) -> Sequence[WrittenFiles]:
        """Where runs of these records wrote alert lines and reports."""
        ...

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """A transaction: committed at the end of the `with`, undone where an error leaves it.

        Nothing slow happens inside (no model, no vault, no other server): other writers wait.
        """
        ...
