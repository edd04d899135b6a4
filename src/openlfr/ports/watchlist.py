"""Ports of the records of watchlist entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import EntryStatus, GalleryDecision, ManifestEntry, Reference


class WatchlistRecords(Protocol):
    """The entries: subject, authority, expiry (one database, several processes)."""

    def version(self) -> int:
        """A number that grows with every change; cheap enough to read several times a second."""
        ...

    def current_entry(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """The present entry of this picture, unless it is removed, refused or expired."""
        ...

    def references(
        self,
        *,
        watchlists: Collection[str] | None = None,
        subject: str | None = None,
        statuses: Collection[EntryStatus] | None = None,
        reference_ids: Collection[str] | None = None,
    ) -> list[Reference]:
        """Entries that meet all given conditions, ordered by watchlist, subject and time."""
        ...

    def manifest(self, watchlists: Collection[str]) -> dict[str, ManifestEntry]:
        """The searchable entries: each active reference by its id.

        Entries that were altered after their enrolment are left out (`altered`).
        """
        ...

    def altered(self, watchlists: Collection[str], *, anew: bool = False) -> dict[str, str]:
        """Active references that were altered after their enrolment, with the altered fields.

        `domain.authority` finds alterations by comparing the entries with the audit log.

        Args:
            watchlists: Names of the lists.
            anew: Whether to compare all entries, which also finds changes from outside OpenLFR;
                otherwise only entries with a counted change since their last comparison.
        """
        ...

    def overdue(self, at: datetime) -> list[Reference]:
        """Listed entries that expired by their enrolment, even if their rows were changed."""
        ...

    def outbox(self) -> list[tuple[Reference, bytes]]:
        """Pending entries with their encrypted templates, in the order of their addition."""
        ...

    def awaiting_erasure(self) -> list[Reference]:
        """Removed and refused entries whose template and picture are not erased yet."""
        ...

    def pictures(self) -> set[str]:
        """Names in the vault that entries refer to."""
        ...

    def facts(self) -> GalleryFacts | None:
        """The model to which the gallery is bound; None before the first enrolment."""
        ...


class WatchlistChanges(WatchlistRecords, Protocol):
    """Changes of entries, in one transaction."""

    def lock(self) -> None:
        """Wait for changes that others are making; theirs wait until this transaction is over.

        What is read after it stays true until then.
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
            Ids of the settled entries. An entry that is no longer pending (suspended or removed
            meanwhile) is not changed.
        """
        ...

    def mark_erased(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that the templates and pictures of these entries are erased in all stores."""
        ...

    def move(
        self, subject: str, watchlists: Collection[str] | None, to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Suspend, resume or remove a subject's entries; return the changed entries.

        An entry that is resumed before its template is in the vector store becomes pending again.
        Suspended entries keep their template and picture; removed ones are `awaiting_erasure`.
        """
        ...

    def move_these(
        self, reference_ids: Collection[str], to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """As `move`, of these entries."""
        ...

    def retire(self, reference_ids: Collection[str], at: datetime) -> list[Reference]:
        """Remove these expired entries; return the removed entries."""
        ...

    def erase_subjects(self, before: datetime) -> list[str]:
        """Erase the subjects of entries that were removed before this moment; return their ids.

        Names and texts in acts on these entries are erased too; the acts themselves remain.
        """
        ...

    def keep_facts(self, facts: GalleryFacts, at: datetime) -> None:
        """Bind the gallery to the model of its first template.

        Raises:
            Misconfigured: The gallery is bound to another model.
        """
        ...
