"""Ports of the records of watchlist entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import EntryStatus, GalleryDecision, ManifestEntry, Reference


class WatchlistRecords(Protocol):
    """The entries, with subject, authority and expiry, to read.

    Several processes use one database.
    """

    def version(self) -> int:
        """Return a number that grows with every change.

        Reading the number is cheap enough for several calls a second.
        """
        ...

    def current_entry(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """Return the entry of this picture; None if it is removed, refused or expired."""
        ...

    def references(
        self,
        *,
        watchlists: Collection[str] | None = None,
        subject: str | None = None,
        statuses: Collection[EntryStatus] | None = None,
        reference_ids: Collection[str] | None = None,
    ) -> list[Reference]:
        """Return the entries that meet all given conditions.

        They are ordered by watchlist, subject and time of enrolment.
        """
        ...

    def manifest(self, watchlists: Collection[str]) -> dict[str, ManifestEntry]:
        """Return the searchable entries: each active reference by its id.

        Entries that were altered after their enrolment are left out (`altered_entries`).
        """
        ...

    def altered_entries(
        self, watchlists: Collection[str], *, compare_all: bool = False
    ) -> dict[str, str]:
        """Return the active references that were altered after enrolment, with the differences.

        `domain.entry_acts` detects alterations by comparing the entries with the audit log.

        Args:
            watchlists: Names of the lists.
            compare_all: Whether to compare all entries, which also detects changes from outside
                OpenLFR. Otherwise only entries that OpenLFR changed since their last comparison
                are compared.
        """
        ...

    def overdue_entries(self, at: datetime) -> list[Reference]:
        """Return the listed entries whose row or enrolment has an expiry before `at`.

        The earlier expiry counts, so a later expiry that somebody wrote into the row has no effect.
        """
        ...

    def outbox(self) -> list[tuple[Reference, bytes]]:
        """Return the pending entries with their encrypted templates, oldest first."""
        ...

    def awaiting_erasure(self) -> list[Reference]:
        """Return the removed and refused entries whose template and picture are not erased yet."""
        ...

    def removed_with_picture(self) -> list[Reference]:
        """Return the removed entries whose template is erased, and whose picture is retained."""
        ...

    def picture_names(self) -> set[str]:
        """Return the names of all blobs in the vault to which entries refer."""
        ...

    def bound_model(self) -> GalleryFacts | None:
        """Return the model to which the gallery is bound; None before the first enrolment."""
        ...


class WatchlistChanges(WatchlistRecords, Protocol):
    """Changes of entries, in one transaction."""

    def lock(self) -> None:
        """Wait for open transactions with changes; later transactions wait for this one.

        So entries read after `lock` stay unchanged until the transaction ends.
        """
        ...

    def add(
        self, reference: Reference, *, picture_hash: str, template: bytes, at: datetime
    ) -> None:
        """Record a pending entry, with its encrypted template in the outbox."""
        ...

    def settle(self, settlements: Sequence[GalleryDecision], at: datetime) -> set[str]:
        """Activate or refuse pending entries and erase their templates from the outbox.

        Returns:
            Ids of the changed entries. An entry that is no longer pending (suspended or removed
            since then) is not changed.
        """
        ...

    def mark_template_erased(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that the templates of these entries are erased, and their pictures retained."""
        ...

    def mark_picture_erased(self, reference_ids: Iterable[str]) -> None:
        """Record that the retained pictures of these entries are erased."""
        ...

    def mark_erased(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that the templates and pictures of these entries are erased in all stores."""
        ...

    def change_subject_status(
        self, subject: str, watchlists: Collection[str] | None, to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Suspend, resume or remove a subject's entries; return the changed entries.

        An entry that is resumed before its template is in the vector store becomes pending again.
        Suspended entries retain template and picture; removed entries are `awaiting_erasure`.
        """
        ...

    def change_entry_status(
        self, reference_ids: Collection[str], to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Change the status of these entries, as `change_subject_status` does."""
        ...

    def remove_expired(self, reference_ids: Collection[str], at: datetime) -> list[Reference]:
        """Remove these expired entries; return the entries that were changed."""
        ...

    def subjects_to_erase(self, before: datetime) -> list[str]:
        """Return the ids of the entries that `erase_subjects` would change."""
        ...

    def erase_subjects(self, before: datetime) -> list[str]:
        """Erase the subjects of entries that ended before this moment; return the entries' ids.

        Names and texts in acts on these entries are erased too, but the acts remain.
        """
        ...

    def bind_model(self, facts: GalleryFacts, at: datetime) -> None:
        """Bind an unbound gallery to this model; raise if it is bound to another model.

        Raises:
            Misconfigured: The gallery is bound to another model.
        """
        ...
