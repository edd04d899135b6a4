"""Entries of the watchlist in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openlfr.adapters.memory.audit import erase_texts
from openlfr.adapters.memory.state import Entry
from openlfr.domain.entry_acts import ACTS, EntryAct, earliest_expiry, find_alteration
from openlfr.domain.templates import check_model
from openlfr.domain.watchlist import PERSONAL_FIELDS, EntryStatus, ManifestEntry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from openlfr.adapters.memory.state import Access, State
    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import GalleryDecision, Reference

_LISTED = (EntryStatus.PENDING, EntryStatus.ACTIVE, EntryStatus.SUSPENDED)
_ENDED = (EntryStatus.REMOVED, EntryStatus.REFUSED)
_SOURCES = {
    EntryStatus.SUSPENDED: (EntryStatus.PENDING, EntryStatus.ACTIVE),
    EntryStatus.ACTIVE: (EntryStatus.SUSPENDED,),
    EntryStatus.REMOVED: _LISTED,
}


class MemoryWatchlist:
    """The `WatchlistChanges` port on a state; outside a unit of work it is only read."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._compared: tuple[tuple[int, int], dict[str, str]] | None = None

    def version(self) -> int:
        """Return the number of the newest change."""
        return self._access.reading().version

    def current_entry(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """Return the entry of this picture; None if it is removed, refused or expired."""
        for row in self._access.reading().entries.values():
            entry = row.entry
            key = (entry.watchlist, entry.subject, row.picture_hash)
            is_listed = entry.status in _LISTED and entry.expires >= at
            if is_listed and key == (watchlist, subject, picture_hash):
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
        """Return the entries that meet all given conditions, by watchlist, subject and time."""
        rows = [
            row
            for key, row in self._access.reading().entries.items()
            if (watchlists is None or row.entry.watchlist in watchlists)
            and (subject is None or row.entry.subject == subject)
            and (statuses is None or row.entry.status in statuses)
            and (reference_ids is None or key in reference_ids)
        ]
        rows.sort(key=lambda row: (row.entry.watchlist, row.entry.subject, row.added_at))
        return [row.entry for row in rows]

    def manifest(self, watchlists: Collection[str]) -> dict[str, ManifestEntry]:
        """Return the searchable entries: active references without later alterations."""
        unsearchable = self.altered_entries(watchlists)
        active = self.references(watchlists=watchlists, statuses=(EntryStatus.ACTIVE,))
        return {
            each.reference_id: ManifestEntry(
                each.watchlist, each.category, each.template_hash, each.entry_hash, each.expires
            )
            for each in active
            if each.reference_id not in unsearchable
        }

    def altered_entries(
        self, watchlists: Collection[str], *, compare_all: bool = False
    ) -> dict[str, str]:
        """Return the active references that were altered after enrolment, with the differences.

        `compare_all` compares again even if no change was recorded since the last comparison.
        """
        state = self._access.reading()
        version = (state.version, len(state.acts))
        if compare_all or self._compared is None or self._compared[0] != version:
            active = self.references(statuses=(EntryStatus.ACTIVE,))
            self._compared = (
                version,
                {e.reference_id: find_alteration(e, self._acts(e)) for e in active},
            )
        listed = self.references(watchlists=watchlists, statuses=(EntryStatus.ACTIVE,))
        problems = {each.reference_id: self._compared[1][each.reference_id] for each in listed}
        return {key: problem for key, problem in problems.items() if problem}

    def overdue_entries(self, at: datetime) -> list[Reference]:
        """Return the listed entries whose row or enrolment has an expiry before `at`."""
        listed = self.references(statuses=_LISTED)
        return [each for each in listed if earliest_expiry(each, self._acts(each)) < at]

    def outbox(self) -> list[tuple[Reference, bytes]]:
        """Return the pending entries with their encrypted templates, oldest first."""
        rows = sorted(self._access.reading().entries.values(), key=lambda row: row.added_at)
        return [
            (row.entry, row.template)
            for row in rows
            if row.entry.status is EntryStatus.PENDING and row.template is not None
        ]

    def awaiting_erasure(self) -> list[Reference]:
        """Return the removed and refused entries whose template and picture are not erased yet."""
        rows = self._access.reading().entries.values()
        return [row.entry for row in rows if row.entry.status in _ENDED and not row.settled]

    def removed_with_picture(self) -> list[Reference]:
        """Return the removed entries whose template is erased, and whose picture is retained."""
        rows = self._access.reading().entries.values()
        ended = [row.entry for row in rows if row.entry.status in _ENDED and row.settled]
        return [entry for entry in ended if entry.picture]

    def picture_names(self) -> set[str]:
        """Return the names of all blobs in the vault to which entries refer."""
        return {row.entry.picture for row in self._access.reading().entries.values()}

    def bound_model(self) -> GalleryFacts | None:
        """Return the model to which the gallery is bound; None before the first enrolment."""
        return self._access.reading().facts

    def lock(self) -> None:
        """Do nothing: only one unit of work in memory runs at a time."""

    def add(
        self, reference: Reference, *, picture_hash: str, template: bytes, at: datetime
    ) -> None:
        """Record a pending entry with its encrypted template."""
        with self._write_new_version() as state:
            state.entries[reference.reference_id] = Entry(
                reference, picture_hash, template, settled=False, added_at=at, changed_at=at
            )

    def settle(self, settlements: Sequence[GalleryDecision], at: datetime) -> set[str]:
        """Activate or refuse entries that are pending; return the ids of the changed entries."""
        settled = set()
        with self._write_new_version() as state:
            for one in settlements:
                row = state.entries.get(one.reference_id)
                if row is not None and row.entry.status is EntryStatus.PENDING:
                    entry = replace(row.entry, status=one.status, note=one.note)
                    done = one.status is EntryStatus.ACTIVE
                    state.entries[one.reference_id] = replace(
                        row, entry=entry, template=None, settled=done, changed_at=at
                    )
                    settled.add(one.reference_id)
        return settled

    def mark_erased(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that the templates and pictures of these entries are erased in all stores."""
        ids = list(reference_ids)
        self.mark_template_erased(ids, at)
        self.mark_picture_erased(ids)

    def mark_template_erased(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that the templates of these entries are erased, and their pictures retained."""
        with self._write_new_version() as state:
            for key in reference_ids:
                if (row := state.entries.get(key)) is not None:
                    state.entries[key] = replace(
                        row, template=None, settled=True, changed_at=at, left_at=at
                    )

    def mark_picture_erased(self, reference_ids: Iterable[str]) -> None:
        """Record that the retained pictures of these entries are erased."""
        with self._access.writing() as state:
            for key in reference_ids:
                if (row := state.entries.get(key)) is not None:
                    state.entries[key] = replace(row, entry=replace(row.entry, picture=""))

    def subjects_to_erase(self, before: datetime) -> list[str]:
        """Return the ids of the entries that `erase_subjects` would change."""
        return [
            key
            for key, row in self._access.reading().entries.items()
            if _is_over(row, before) and row.entry.subject
        ]

    def erase_subjects(self, before: datetime) -> list[str]:
        """Erase the subjects of entries that ended before this moment; return their ids."""
        erased_ids = []
        with self._access.writing() as state:
            for key, row in state.entries.items():
                if _is_over(row, before) and row.entry.subject:
                    blank: dict[str, Any] = dict.fromkeys(PERSONAL_FIELDS, "")
                    entry = replace(row.entry, **blank)
                    state.entries[key] = replace(row, entry=entry, picture_hash="")
                    erased_ids.append(key)
            erase_texts(state, erased_ids)
        return erased_ids

    def change_subject_status(
        self, subject: str, watchlists: Collection[str] | None, to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Suspend, resume or remove a subject's entries; return the changed entries."""
        entries = self.references(subject=subject, watchlists=watchlists)
        return self._change_status([each.reference_id for each in entries], to, at)

    def change_entry_status(
        self, reference_ids: Collection[str], to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Change the status of these entries, as `change_subject_status` does."""
        return self._change_status(reference_ids, to, at)

    def remove_expired(self, reference_ids: Collection[str], at: datetime) -> list[Reference]:
        """Remove these expired entries; return the changed entries."""
        return self._change_status(reference_ids, EntryStatus.REMOVED, at)

    def bind_model(self, facts: GalleryFacts, at: datetime) -> None:
        """Bind an unbound gallery to this model; raise if it is bound to another model."""
        with self._write_new_version() as state:
            if state.facts is None:
                state.facts = facts
                state.recorded_at["facts"] = at
            check_model(state.facts, facts, "The watchlist")

    def _change_status(
        self, reference_ids: Collection[str], to: EntryStatus, at: datetime
    ) -> list[Reference]:
        changed = []
        with self._write_new_version() as state:
            for key in reference_ids:
                row = state.entries.get(key)
                if row is None or row.entry.status not in _SOURCES[to]:
                    continue
                is_pending = to is EntryStatus.ACTIVE and row.template is not None
                entry = replace(row.entry, status=EntryStatus.PENDING if is_pending else to)
                row = replace(row, entry=entry, changed_at=at)
                if to is EntryStatus.REMOVED:
                    row = replace(row, template=None, settled=False)
                state.entries[key] = row
                changed.append(key)
        return self.references(reference_ids=changed)

    @contextmanager
    def _write_new_version(self) -> Iterator[State]:
        with self._access.writing() as state:
            state.version += 1
            yield state

    def _acts(self, entry: Reference) -> list[EntryAct]:
        return [
            EntryAct(act.kind, act.by.name, act.detail)
            for act in self._access.reading().acts
            if (act.object_kind, act.object_id) == ("reference", entry.reference_id)
            and act.kind in ACTS
        ]


def _is_over(row: Entry, before: datetime) -> bool:
    has_left = row.left_at is not None and row.left_at < before
    return has_left and row.entry.status in _ENDED
