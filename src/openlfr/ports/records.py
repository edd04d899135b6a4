"""The records: who is listed, what was alerted and decided, and who did it.

What only reads stands on `Records`; what changes by an act of a person or of OpenLFR itself stands
on a `UnitOfWork`, which holds the change and its audit event in one transaction: neither exists
without the other. What services record of what happened in front of a camera (events of alerts,
tallies) is no act, and needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import AlertPage, Hold, RecordedAlert, RecordedEvent
    from openlfr.domain.audit import AuditEvent, RecordedAct
    from openlfr.domain.baselines import Mark, Opening
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.runs import WrittenFiles
    from openlfr.domain.tallies import CameraTotals, Histograms, Reporter, Tally
    from openlfr.domain.watchlist import (
        EntryStatus,
        GalleryFacts,
        ManifestEntry,
        Reference,
        Settlement,
    )


class WatchlistRecords(Protocol):
    """Who is listed, on whose authority and until when (one database, several processes)."""

    def version(self) -> int:
        """Grows with every change; cheap enough to ask several times a second."""
        ...

    def standing(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """The entry that this picture has already, unless removed, refused or expired."""
        ...

    def references(
        self,
        *,
        watchlists: Collection[str] | None = None,
        subject: str | None = None,
        statuses: Collection[EntryStatus] | None = None,
        reference_ids: Collection[str] | None = None,
    ) -> list[Reference]:
        """Entries that meet every given condition, ordered by watchlist, subject and time."""
        ...

    def manifest(self, watchlists: Collection[str]) -> dict[str, ManifestEntry]:
        """Who is searchable: each active reference by its id.

        Those that are not as they were enrolled are left out: `altered` names them.
        """
        ...

    def altered(self, watchlists: Collection[str], *, anew: bool = False) -> dict[str, str]:
        """Active references that are not as they were enrolled, and what is not.

        That is found by `domain.authority` in the audit log.

        Args:
            watchlists: Of which lists.
            anew: Compare every entry, as is needed to find what was changed by other means; else
                those of which a change was counted since they were compared.
        """
        ...

    def overdue(self, at: datetime) -> list[Reference]:
        """Listed entries that were enrolled until before this, whatever their rows say now."""
        ...

    def outbox(self) -> list[tuple[Reference, bytes]]:
        """Pending entries with their encrypted templates, in the order they were added."""
        ...

    def leaving(self) -> list[Reference]:
        """Removed and refused entries whose template and picture are still to be erased."""
        ...

    def pictures(self) -> set[str]:
        """Names in the vault that an entry refers to."""
        ...

    def facts(self) -> GalleryFacts | None:
        """The model that the gallery is bound to; None while nothing was ever enrolled."""
        ...


class WatchlistChanges(WatchlistRecords, Protocol):
    """Changes of the watchlist, in a transaction."""

    def add(
        self, reference: Reference, *, picture_hash: str, template: bytes, at: datetime
    ) -> None:
        """Record a pending entry with its encrypted template, the outbox for the vector store."""
        ...

    def settle(self, settlements: Sequence[Settlement], at: datetime) -> set[str]:
        """Activate or refuse pending entries and erase their templates from the outbox.

        Returns:
            The ids that were settled. An entry that is no longer pending (suspended or removed
            meanwhile) stays as it is.
        """
        ...

    def left(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that template and picture of these entries are erased everywhere else."""
        ...

    def move(
        self, subject: str, watchlists: Collection[str] | None, to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Suspend, resume or remove a subject's entries; those that were moved, as they are now.

        An entry that is resumed before its template has reached the vector store is pending
        again. A suspended one keeps its template and picture; a removed one is `leaving`.
        """
        ...

    def retire(self, reference_ids: Collection[str], at: datetime) -> list[Reference]:
        """Remove these entries (expired ones); those that were removed, as they are now."""
        ...

    def forget(self, before: datetime) -> list[str]:
        """Erase who was listed, of entries that left before this moment; their ids."""
        ...

    def keep_facts(self, facts: GalleryFacts, at: datetime) -> None:
        """Bind the gallery to the model of its first template.

        Raises:
            Misconfigured: It is bound to another one.
        """
        ...


class AlertRecords(Protocol):
    """Alerts and their events as they were recorded."""

    def find(self, prefix: str) -> RecordedAlert:
        """The alert whose id begins so, or an id that was merged into it.

        Raises:
            BadInput: No alert, or several.
        """
        ...

    def list(
        self, *, undecided: bool = False, deployment: str | None = None, subject: str | None = None
    ) -> Sequence[RecordedAlert]:
        """Alerts, the latest first: those that nobody decided, of a deployment, of a subject."""
        ...

    def page(
        self,
        limit: int,
        after: str = "",
        *,
        undecided: bool = False,
        deployment: str | None = None,
        subject: str | None = None,
    ) -> AlertPage:
        """As `list`, so many at a time; `after` is that of the page before.

        Raises:
            BadInput: No page gave that `after`.
        """
        ...

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """The events of an alert by captured time."""
        ...

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """All events of one run of a deployment by captured time; of all its runs: None."""
        ...

    def case(self, alert_id: str) -> Case:
        """What people made of an alert, by its whole id."""
        ...

    def waiting(self, now: datetime) -> Sequence[str]:
        """Ids of alerts whose time to lapse, or to be settled, has come."""
        ...

    def mistaken(self, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts about the wrong person of which something is still kept, and may be no longer."""
        ...

    def rejected(self, now: datetime) -> Sequence[RecordedEvent]:
        """Sightings that were taken out of their alert, and of which something is still kept."""
        ...

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """What keeps an alert from being erased, or did; the latest first."""
        ...

    def older_than(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts whose last event is older, that nothing holds, of which something is kept."""
        ...

    def evidence_names(self) -> Collection[str]:
        """Names in the vault that an event refers to."""
        ...


class AlertChanges(AlertRecords, Protocol):
    """Changes of alerts by acts, in a transaction."""

    def append(self, before: Case, after: Case, event_id: str) -> None:
        """Record by what two cases differ: verdicts, an undo, outcomes.

        Args:
            before: As it was read in this transaction.
            after: What a rule of `domain.adjudication` made of it.
            event_id: Of the audit event that is recorded with it.

        Raises:
            Conflict: The alert has changed since `before` was read.
        """
        ...

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that these events' pictures are gone, of an alert that takes in no more.

        Positions, the subject, and what people wrote in acts about the alert go with them.
        """
        ...

    def reject(self, alert_id: str, event_id: str, at: datetime) -> None:
        """Take a sighting out of an alert: it shows another person than the others."""
        ...

    def mark_rejected_erased(self, event_ids: Sequence[str]) -> None:
        """Record that what was kept of rejected sightings is gone; the camera goes with it."""
        ...

    def erase_names(self, before: datetime) -> int:
        """Erase who did what to alerts before this moment; of how many acts."""
        ...

    def place_hold(self, hold: Hold) -> None:
        """Keep an alert from being erased."""
        ...

    def release_hold(self, hold_id: str, at: datetime) -> None:
        """Let a hold keep nothing any more."""
        ...


class DeploymentRecords(Protocol):
    """Deployments, and where each stands."""

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id; None where none is recorded."""
        ...

    def find(self, named: str) -> Deployment:
        """The deployment whose id begins so, or that is the only one of this name.

        Raises:
            BadInput: None, or several.
        """
        ...

    def list(self) -> Sequence[Deployment]:
        """All of them, the latest start first."""
        ...


class DeploymentChanges(DeploymentRecords, Protocol):
    """Changes of deployments, in a transaction."""

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Record where a deployment stands now, a new one too."""
        ...


class BaselineRecords(Protocol):
    """The baselines of deployments."""

    def of(self, deployment_id: str) -> Sequence[Opening]:
        """Those of a deployment, by number."""
        ...


class BaselineChanges(BaselineRecords, Protocol):
    """Baselines, in a transaction."""

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record that one opened; False where its number has been given meanwhile."""
        ...


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

    def by_mark(
        self, deployment: str, *, epoch: int | None = None
    ) -> Mapping[Mark, tuple[CameraTotals, Histograms]]:
        """What all cameras together saw, by what their tallies say of the baseline."""
        ...


class AuditLog(Protocol):
    """What was done, and by whom."""

    def latest(self) -> datetime | None:
        """The latest moment at which anything was done; None before the first act."""
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
    def alerts(self) -> AlertRecords:
        """Alerts, to read."""
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
