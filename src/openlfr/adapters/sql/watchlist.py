"""Watchlist entries in SQL, with the outbox of their templates.

An entry's template is stored here, encrypted, until it is in the vector store (an outbox), so that
an import does not need the store, which a running pipeline may have open. `settled` is false as
long as the vector store or the vault does not match the entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.gallery_model import bound_model
from openlfr.adapters.sql.tables import references
from openlfr.adapters.sql.watchlist_acts import Comparison, with_acts
from openlfr.adapters.sql.watchlist_rows import COLUMNS, reference_of
from openlfr.adapters.sql.watchlist_version import newest_version
from openlfr.domain.entry_acts import earliest_expiry
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from openlfr.adapters.sql.access import Access
    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import ManifestEntry, Reference

STANDING = (EntryStatus.PENDING, EntryStatus.ACTIVE, EntryStatus.SUSPENDED)
"""Statuses of entries on the list, searched or not."""


class WatchlistRecords:
    """The watchlist entries of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._comparison = Comparison()

    def version(self) -> int:
        """Number of the newest change of any entry; cheap to read several times a second."""
        with self._access.reading() as connection:
            return newest_version(connection)

    def current_entry(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """The listed entry of this picture; None if it was removed, refused or has expired."""
        query = sa.select(*COLUMNS).where(
            references.c.watchlist == watchlist,
            references.c.subject == subject,
            references.c.picture_hash == picture_hash,
            references.c.status.in_(STANDING),
            references.c.expires >= at,
        )
        return next(iter(self._read(query)), None)

    def references(
        self,
        *,
        watchlists: Collection[str] | None = None,
        subject: str | None = None,
        statuses: Collection[EntryStatus] | None = None,
        reference_ids: Collection[str] | None = None,
    ) -> list[Reference]:
        """Entries that meet every given condition, ordered by watchlist, subject and time."""
        query = sa.select(*COLUMNS).order_by(
            references.c.watchlist, references.c.subject, references.c.added_at
        )
        if watchlists is not None:
            query = query.where(references.c.watchlist.in_(watchlists))
        if subject is not None:
            query = query.where(references.c.subject == subject)
        if statuses is not None:
            query = query.where(references.c.status.in_(statuses))
        if reference_ids is not None:
            query = query.where(references.c.reference_id.in_(reference_ids))
        return self._read(query)

    def manifest(self, watchlists: Collection[str]) -> dict[str, ManifestEntry]:
        """The searchable entries: each active reference by its id.

        References that differ from their enrolment are left out; `altered` returns them.
        """
        with self._access.reading() as connection:
            found = self._comparison.active_entries(connection, watchlists)
            return {key: entry for key, entry in found.entries.items() if key not in found.altered}

    def altered_entries(
        self, watchlists: Collection[str], *, compare_all: bool = False
    ) -> dict[str, str]:
        """Active references that differ from their enrolment, each with the difference.

        Args:
            watchlists: Names of the lists.
            compare_all: Whether to compare every entry, to detect rows that another program
                changed. If not, only entries changed since their last comparison are compared.
        """
        with self._access.reading() as connection:
            if compare_all:
                return self._comparison.compare_changed_rows(connection, watchlists)
            return dict(self._comparison.active_entries(connection, watchlists).altered)

    def overdue_entries(self, at: datetime) -> list[Reference]:
        """Listed entries whose enrolment ended before this moment, whatever their rows contain."""
        with self._access.reading() as connection:
            return [
                entry
                for entry, acts, _ in with_acts(connection, references.c.status.in_(STANDING))
                if earliest_expiry(entry, acts) < at
            ]

    def outbox(self) -> list[tuple[Reference, bytes]]:
        """Pending entries with their encrypted templates, in the order they were added."""
        query = (
            sa.select(*COLUMNS, references.c.template)
            .where(
                references.c.settled.is_(False),
                references.c.status == EntryStatus.PENDING,
                references.c.template.is_not(None),
            )
            .order_by(references.c.added_at, references.c.version)
        )
        with self._access.reading() as connection:
            return [(reference_of(row), row.template) for row in connection.execute(query)]

    def awaiting_erasure(self) -> list[Reference]:
        """Removed and refused entries whose template and picture are still to be erased."""
        return self._read(
            sa.select(*COLUMNS).where(
                references.c.settled.is_(False),
                references.c.status.in_((EntryStatus.REMOVED, EntryStatus.REFUSED)),
            )
        )

    def picture_names(self) -> set[str]:
        """Names in the vault that an entry refers to."""
        with self._access.reading() as connection:
            return set(connection.scalars(sa.select(references.c.picture)))

    def bound_model(self) -> GalleryFacts | None:
        """The model that the watchlist is bound to; None before the first enrolment."""
        with self._access.reading() as connection:
            return bound_model(connection)

    def _read(self, query: sa.Select[Any]) -> list[Reference]:
        with self._access.reading() as connection:
            return [reference_of(row) for row in connection.execute(query)]
