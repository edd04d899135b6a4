"""Records in memory: entries, deployments and the audit log, for tests and trials.

They do what the database does, by the same rules of `domain`, and are one more adapter under the
contract suites. Alerts are recorded in a database alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING, Any

from openlfr.domain.audit import RecordedAct
from openlfr.domain.authority import ACTS, EntryAct, altered, last_moment
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import NAMING, EntryStatus, ManifestEntry, check_model

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from openlfr.domain.audit import AuditEvent
    from openlfr.domain.baselines import Opening
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.watchlist import GalleryFacts, Reference, Settlement
    from openlfr.ports import AuditLog, BaselineChanges, DeploymentChanges, WatchlistChanges

_STANDING = (EntryStatus.PENDING, EntryStatus.ACTIVE, EntryStatus.SUSPENDED)
_LEFT = (EntryStatus.REMOVED, EntryStatus.REFUSED)
_SOURCES = {
    EntryStatus.SUSPENDED: (EntryStatus.PENDING, EntryStatus.ACTIVE),
    EntryStatus.ACTIVE: (EntryStatus.SUSPENDED,),
    EntryStatus.REMOVED: _STANDING,
}
_SHOWN = 5  # deployments named when a prefix fits several


@dataclass(frozen=True, slots=True)
class _Row:
    """An entry and what is owed to it; as a row of the table `watchlist_references`."""

    entry: Reference
    picture_hash: str
    template: bytes | None
    settled: bool
    added_at: datetime
    left_at: datetime | None = None


@dataclass(slots=True)
class _State:
    """Everything that is recorded; a transaction works on a copy."""

    version: int = 0
    rows: dict[str, _Row] = field(default_factory=dict)
    facts: GalleryFacts | None = None
    deployments: dict[str, Deployment] = field(default_factory=dict)
    baselines: dict[tuple[str, int], Opening] = field(default_factory=dict)
    acts: tuple[RecordedAct, ...] = ()

    def copy(self) -> _State:
        return replace(
            self,
            rows=dict(self.rows),
            deployments=dict(self.deployments),
            baselines=dict(self.baselines),
        )


class MemoryWatchlist:
    """`WatchlistChanges` on a state; outside a unit of work only what reads is for use."""

    def __init__(self, state: Callable[[], _State]) -> None:
        self._state = state

    def version(self) -> int:
        """Grows with every change."""
        return self._state().version

    def standing(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """The entry that this picture has already, unless removed, refused or expired."""
        for row in self._state().rows.values():
            entry = row.entry
            here = (entry.watchlist, entry.subject, row.picture_hash)
            listed = entry.status in _STANDING and entry.expires >= at
            if listed and here == (watchlist, subject, picture_hash):
                return entry
        return None

    def references(
        self,
        *,
        watchlists: Collection[str] | None = None,
        subject: str | None = None,
        statuses: Collection[EntryStatus] | None = None,
        reference_ids: Collection[str] | None = None,
    ) -> list[Reference]:
        """Entries that meet every given condition, ordered by watchlist, subject and time."""
        found = [
            row
            for key, row in self._state().rows.items()
            if (watchlists is None or row.entry.watchlist in watchlists)
            and (subject is None or row.entry.subject == subject)
            and (statuses is None or row.entry.status in statuses)
            and (reference_ids is None or key in reference_ids)
        ]
        found.sort(key=lambda row: (row.entry.watchlist, row.entry.subject, row.added_at))
        return [row.entry for row in found]

    def manifest(self, watchlists: Collection[str]) -> dict[str, ManifestEntry]:
        """Who is searchable: each active reference that is as it was enrolled."""
        unsearchable = self.altered(watchlists)
        active = self.references(watchlists=watchlists, statuses=(EntryStatus.ACTIVE,))
        return {
            each.reference_id: ManifestEntry(
                each.watchlist, each.category, each.template_hash, each.entry_hash, each.expires
            )
            for each in active
            if each.reference_id not in unsearchable
        }

    def altered(self, watchlists: Collection[str], *, anew: bool = False) -> dict[str, str]:  # noqa: ARG002 - the port's; always anew
        """Active references that are not as they were enrolled, and what is not."""
        active = self.references(watchlists=watchlists, statuses=(EntryStatus.ACTIVE,))
        found = {each.reference_id: altered(each, self._acts(each)) for each in active}
        return {key: problem for key, problem in found.items() if problem}

    def overdue(self, at: datetime) -> list[Reference]:
        """Listed entries that were enrolled until before this, whatever their rows say now."""
        standing = self.references(statuses=_STANDING)
        return [each for each in standing if last_moment(each, self._acts(each)) < at]

    def outbox(self) -> list[tuple[Reference, bytes]]:
        """Pending entries with their encrypted templates, in the order they were added."""
        rows = sorted(self._state().rows.values(), key=lambda row: row.added_at)
        return [
            (row.entry, row.template)
            for row in rows
            if row.entry.status is EntryStatus.PENDING and row.template is not None
        ]

    def leaving(self) -> list[Reference]:
        """Removed and refused entries whose template and picture are still to be erased."""
        rows = self._state().rows.values()
        return [row.entry for row in rows if row.entry.status in _LEFT and not row.settled]

    def pictures(self) -> set[str]:
        """Names in the vault that an entry refers to."""
        return {row.entry.picture for row in self._state().rows.values()}

    def facts(self) -> GalleryFacts | None:
        """The model that the gallery is bound to; None while nothing was ever enrolled."""
        return self._state().facts

    def add(
        self, reference: Reference, *, picture_hash: str, template: bytes, at: datetime
    ) -> None:
        """Record a pending entry with its encrypted template."""
        state = self._counted()
        state.rows[reference.reference_id] = _Row(reference, picture_hash, template, False, at)

    def settle(self, settlements: Sequence[Settlement], at: datetime) -> set[str]:  # noqa: ARG002 - the port's
        """Activate or refuse pending entries; the ids that were settled."""
        state = self._counted()
        settled = set()
        for one in settlements:
            row = state.rows.get(one.reference_id)
            if row is not None and row.entry.status is EntryStatus.PENDING:
                entry = replace(row.entry, status=one.status, note=one.note)
                done = one.status is EntryStatus.ACTIVE
                state.rows[one.reference_id] = replace(
                    row, entry=entry, template=None, settled=done
                )
                settled.add(one.reference_id)
        return settled

    def left(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that template and picture of these entries are erased everywhere else."""
        state = self._counted()
        for key in reference_ids:
            if key in state.rows:
                row = state.rows[key]
                entry = replace(row.entry, picture="")
                state.rows[key] = replace(row, entry=entry, template=None, settled=True, left_at=at)

    def forget(self, before: datetime) -> list[str]:
        """Erase who was listed, of entries that left before this moment; their ids."""
        state, forgotten = self._state(), []
        for key, row in state.rows.items():
            over = row.left_at is not None and row.left_at < before
            if over and row.entry.status in _LEFT and row.entry.subject:
                blank: dict[str, Any] = dict.fromkeys(NAMING, "")
                state.rows[key] = replace(row, entry=replace(row.entry, **blank), picture_hash="")
                forgotten.append(key)
        return forgotten

    def move(
        self, subject: str, watchlists: Collection[str] | None, to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Suspend, resume or remove a subject's entries; those that were moved, as they are now."""
        chosen = self.references(subject=subject, watchlists=watchlists)
        return self._move([each.reference_id for each in chosen], to, at)

    def retire(self, reference_ids: Collection[str], at: datetime) -> list[Reference]:
        """Remove these entries; those that were removed, as they are now."""
        return self._move(reference_ids, EntryStatus.REMOVED, at)

    def keep_facts(self, facts: GalleryFacts, at: datetime) -> None:  # noqa: ARG002 - the port's
        """Bind the gallery to the model of its first template."""
        state = self._counted()
        if state.facts is None:
            state.facts = facts
        check_model(state.facts, facts, "The watchlist")

    def _move(
        self,
        reference_ids: Collection[str],
        to: EntryStatus,
        at: datetime,  # noqa: ARG002 - the port's
    ) -> list[Reference]:
        state = self._counted()
        moved = []
        for key in reference_ids:
            row = state.rows.get(key)
            if row is None or row.entry.status not in _SOURCES[to]:
                continue
            waits = to is EntryStatus.ACTIVE and row.template is not None
            row = replace(
                row, entry=replace(row.entry, status=EntryStatus.PENDING if waits else to)
            )
            if to is EntryStatus.REMOVED:
                row = replace(row, template=None, settled=False)
            state.rows[key] = row
            moved.append(key)
        return self.references(reference_ids=moved)

    def _counted(self) -> _State:
        state = self._state()
        state.version += 1
        return state

    def _acts(self, entry: Reference) -> list[EntryAct]:
        return [
            EntryAct(act.kind, act.by.name, act.detail)
            for act in self._state().acts
            if (act.object_kind, act.object_id) == ("reference", entry.reference_id)
            and act.kind in ACTS
        ]


class MemoryDeployments:
    """`DeploymentChanges` on a state."""

    def __init__(self, state: Callable[[], _State]) -> None:
        self._state = state

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id; None where none is recorded."""
        return self._state().deployments.get(deployment_id)

    def find(self, named: str) -> Deployment:
        """The deployment of this id or name, or whose id begins so; closed ones come last."""
        text = named.strip()
        every = list(reversed(self.list()))
        alive = [each for each in every if each.status is not DeploymentStatus.CLOSED]
        found = (
            [each for each in every if each.deployment_id == text]
            or [each for each in alive if each.name == text]
            or [each for each in every if each.deployment_id.startswith(text) or each.name == text]
        )
        if not text or not found:
            raise BadInput(
                f"There is no deployment {named!r}: `openlfr deployment list` names all."
            )
        if len(found) > 1:
            some = ", ".join(each.deployment_id for each in found[:_SHOWN])
            more = " ..." if len(found) > _SHOWN else ""
            raise BadInput(f"Several deployments are {named!r}, name one by its id: {some}{more}")
        return found[0]

    def list(self) -> Sequence[Deployment]:
        """All of them, the latest start first."""
        by_id = sorted(self._state().deployments.values(), key=lambda each: each.deployment_id)
        return sorted(by_id, key=lambda each: each.authorisation.starts, reverse=True)

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Record where a deployment stands now, a new one too."""
        state = self._state()
        state.version += 1
        state.deployments[deployment.deployment_id] = replace(deployment, changed_at=at)


class MemoryBaselines:
    """`BaselineChanges` on a state."""

    def __init__(self, state: Callable[[], _State]) -> None:
        self._state = state

    def of(self, deployment_id: str) -> list[Opening]:
        """Those of a deployment, by number."""
        known = sorted(self._state().baselines.items())
        return [opening for (deployment, _), opening in known if deployment == deployment_id]

    def add(self, opening: Opening, at: datetime) -> bool:  # noqa: ARG002 - the port's
        """Record that one opened; False where its number has been given meanwhile."""
        key = opening.baseline.deployment, opening.number
        return self._state().baselines.setdefault(key, opening) is opening


class MemoryAuditLog:
    """`AuditLog` of a state."""

    def __init__(self, state: Callable[[], _State]) -> None:
        self._state = state

    def latest(self) -> datetime | None:
        """The latest moment at which anything was done; None before the first act."""
        return max((act.at for act in self._state().acts), default=None)

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Acts in the order of their commits, of one kind of object or one object if given."""
        return [
            act
            for act in self._state().acts
            if object_kind in (None, act.object_kind) and object_id in (None, act.object_id)
        ]


class MemoryUnitOfWork:
    """Changes of one transaction, on a copy of what is recorded."""

    def __init__(self, state: _State) -> None:
        self.watchlist: WatchlistChanges = MemoryWatchlist(lambda: state)
        self.deployments: DeploymentChanges = MemoryDeployments(lambda: state)
        self.baselines: BaselineChanges = MemoryBaselines(lambda: state)
        self.events: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        """Record an act; it is numbered when the transaction ends."""
        self.events.append(event)


class MemoryRecords:
    """Records that last as long as their process; several threads may use them."""

    def __init__(self) -> None:
        self._state = _State()
        self._writing = RLock()
        self.watchlist = MemoryWatchlist(lambda: self._state)
        self.deployments = MemoryDeployments(lambda: self._state)
        self.baselines = MemoryBaselines(lambda: self._state)
        self.audit: AuditLog = MemoryAuditLog(lambda: self._state)

    @contextmanager
    def unit_of_work(self) -> Iterator[MemoryUnitOfWork]:
        """A transaction: in force at the end of the `with`, undone where an error leaves it."""
        with self._writing:
            state = self._state.copy()
            work = MemoryUnitOfWork(state)
            yield work
            acts = [
                RecordedAct(
                    position, event.event_id, event.at, event.by, event.what.kind,
                    event.what.object_kind, event.what.object_id, event.what.detail(),
                )
                for position, event in enumerate(work.events, len(state.acts) + 1)
            ]  # fmt: skip
            state.acts += tuple(acts)
            self._state = state
