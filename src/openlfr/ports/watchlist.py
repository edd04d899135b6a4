"""Who is listed: the part of the records that enrolling and matching use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

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

    def lock(self) -> None:
        """Wait for changes that others are making; theirs wait until this transaction is over.

        What is read after it stays true until then.
        """
        ...

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

    def move_these(
        self, reference_ids: Collection[str], to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """As `move`, of these entries."""
        ...

    def retire(self, reference_ids: Collection[str], at: datetime) -> list[Reference]:
        """Remove these entries (expired ones); those that were removed, as they are now."""
        ...

    def forget(self, before: datetime) -> list[str]:
        """Erase who was listed, of entries that left before this moment; their ids.

        What acts on them say of anybody goes too: what stays is that there were such acts.
        """
        ...

    def keep_facts(self, facts: GalleryFacts, at: datetime) -> None:
        """Bind the gallery to the model of its first template.

        Raises:
            Misconfigured: It is bound to another one.
        """
        ...
