"""Watchlist entries in SQL, with the outbox of their templates.

An entry's encrypted template is stored here until it is in the vector store. So an import does not
need the store, which a running pipeline may have open. `settled` is false while the vector store or
the vault does not match the entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.gallery_model import read_bound_model
from openlfr.adapters.sql.tables import references
from openlfr.adapters.sql.watchlist_acts import Comparison, read_with_acts
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

LISTED_STATUSES = (EntryStatus.PENDING, EntryStatus.ACTIVE, EntryStatus.SUSPENDED)
"""Statuses of listed entries, searchable or not."""


class WatchlistRecords:
    """The watchlist entries of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._comparison = Comparison()

    def version(self) -> int:
        """Return the number of the newest change; cheap enough to read several times a second."""
        with self._access.reading() as connection:
            return newest_version(connection)

    def current_entry(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """Return the listed entry of this picture; None if it is removed, refused or expired."""
        query = sa.select(*COLUMNS).where(
            references.c.watchlist == watchlist,
            references.c.subject == subject,
            references.c.picture_hash == picture_hash,
            references.c.status.in_(LISTED_STATUSES),
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
        """Return the entries that meet every condition, ordered by watchlist, subject and time."""
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
        """Return the searchable entries by their id.

        Active entries that differ from their enrolment are not searchable; `altered_entries`
        returns them.
        """
        with self._access.reading() as connection:
            active = self._comparison.active_entries(connection, watchlists)
            return {
                key: entry for key, entry in active.entries.items() if key not in active.altered
            }

    def altered_entries(
        self, watchlists: Collection[str], *, compare_all: bool = False
    ) -> dict[str, str]:
        """Return the active entries that differ from their enrolment, each with the difference.

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
        """Return listed entries that expired before this moment, even if their row was altered."""
        with self._access.reading() as connection:
            return [
                entry
                for entry, acts, _ in read_with_acts(
                    connection, references.c.status.in_(LISTED_STATUSES)
                )
                if earliest_expiry(entry, acts) < at
            ]

    def outbox(self) -> list[tuple[Reference, bytes]]:
        """Return pending entries with their encrypted templates, in the order of their addition."""
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
        """Return removed and refused entries whose template and picture must still be erased."""
        return self._read(
            sa.select(*COLUMNS).where(
                references.c.settled.is_(False),
                references.c.status.in_((EntryStatus.REMOVED, EntryStatus.REFUSED)),
            )
        )

    def removed_with_picture(self) -> list[Reference]:
        """Return the removed entries whose template is erased, and whose picture is retained."""
        return self._read(
            sa.select(*COLUMNS).where(
                references.c.settled,
                references.c.picture != "",
                references.c.status.in_((EntryStatus.REMOVED, EntryStatus.REFUSED)),
            )
        )

    def picture_names(self) -> set[str]:
        """Return the names of pictures in the vault that entries refer to."""
        with self._access.reading() as connection:
            return set(connection.scalars(sa.select(references.c.picture)))

    def bound_model(self) -> GalleryFacts | None:
        """Return the model to which the watchlist is bound; None before the first enrolment."""
        with self._access.reading() as connection:
            return read_bound_model(connection)

    def _read(self, query: sa.Select[Any]) -> list[Reference]:
        with self._access.reading() as connection:
            return [reference_of(row) for row in connection.execute(query)]
