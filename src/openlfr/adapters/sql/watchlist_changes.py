"""Changes of the watchlist, as parts of a unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.act_words import erase_words
from openlfr.adapters.sql.gallery_model import bind_model
from openlfr.adapters.sql.tables import references
from openlfr.adapters.sql.watchlist import LISTED_STATUSES, WatchlistRecords
from openlfr.adapters.sql.watchlist_rows import COLUMNS, row_of
from openlfr.adapters.sql.watchlist_version import lock_counter, next_version
from openlfr.domain.watchlist import PERSONAL_FIELDS, EntryStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import GalleryDecision, Reference

_ALLOWED_FROM = {
    EntryStatus.SUSPENDED: (EntryStatus.PENDING, EntryStatus.ACTIVE),
    EntryStatus.ACTIVE: (EntryStatus.SUSPENDED,),
    EntryStatus.REMOVED: LISTED_STATUSES,
}
"""For each status, the statuses from which an entry may be moved to it."""

_ERASABLE_FIELDS = (*PERSONAL_FIELDS, "picture_hash", "entry_hash")


class WatchlistChanges(WatchlistRecords):
    """The watchlist within one transaction."""

    def lock(self) -> None:
        """Wait for other writers of the watchlist, and block them until this transaction ends."""
        with self._access.writing() as connection:
            lock_counter(connection)

    def add(
        self,
        reference: Reference,
        *,
        picture_hash: str,
        template: bytes,
        at: datetime,
    ) -> None:
        """Record a pending entry and its encrypted template.

        Args:
            reference: The entry, with status `PENDING`.
            picture_hash: SHA-256 (hex) of the imported file, to detect a second import.
            template: Encrypted template for the vector store.
            at: Time of the change, UTC.
        """
        with self._access.writing() as connection:
            version = next_version(connection)
            connection.execute(
                sa.insert(references).values(
                    row_of(reference)
                    | {
                        "picture_hash": picture_hash,
                        "template": template,
                        "settled": False,
                        "added_at": at,
                        "changed_at": at,
                        "version": version,
                    }
                )
            )

    def settle(self, settlements: Sequence[GalleryDecision], at: datetime) -> set[str]:
        """Activate or refuse pending entries, and delete their templates from the outbox.

        A refused entry is `awaiting_erasure`, since its picture must still be erased.

        Returns:
            The ids of the activated and refused entries. An entry that was suspended or removed
            before is unchanged; its template in the vector store is not searchable.
        """
        settled = set()
        with self._access.writing() as connection:
            version = next_version(connection)
            for one in settlements:
                changed = connection.execute(
                    sa.update(references)
                    .where(
                        references.c.reference_id == one.reference_id,
                        references.c.status == EntryStatus.PENDING,
                    )
                    .values(
                        status=one.status,
                        note=one.note,
                        template=None,
                        settled=one.status is EntryStatus.ACTIVE,
                        changed_at=at,
                        version=version,
                    )
                )
                if changed.rowcount:
                    settled.add(one.reference_id)
        return settled

    def mark_erased(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that vector store and vault no longer contain data of these entries."""
        ids = list(reference_ids)
        self.mark_template_erased(ids, at)
        self.mark_picture_erased(ids)

    def mark_template_erased(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Record that the vector store no longer contains templates of these entries."""
        with self._access.writing() as connection:
            version = next_version(connection)
            for reference_id in reference_ids:
                connection.execute(
                    sa.update(references)
                    .where(references.c.reference_id == reference_id)
                    .values(template=None, settled=True, changed_at=at, version=version)
                )

    def mark_picture_erased(self, reference_ids: Iterable[str]) -> None:
        """Record that the vault no longer contains pictures of these entries."""
        with self._access.writing() as connection:
            for reference_id in reference_ids:
                chosen = references.c.reference_id == reference_id
                connection.execute(sa.update(references).where(chosen).values(picture=""))

    def change_subject_status(
        self, subject: str, watchlists: Collection[str] | None, to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Suspend, resume or remove a subject's entries.

        An entry that is resumed before its template is in the vector store becomes pending again.
        Template and picture of a suspended entry remain. A removed entry is `awaiting_erasure`.

        Returns:
            The changed entries in their new state.
        """
        condition = references.c.subject == subject
        if watchlists is not None:
            condition &= references.c.watchlist.in_(watchlists)
        return self._move(condition, to, at)

    def change_entry_status(
        self, reference_ids: Collection[str], to: EntryStatus, at: datetime
    ) -> list[Reference]:
        """Suspend, resume or remove these entries, like `change_subject_status`."""
        return self._move(references.c.reference_id.in_(reference_ids), to, at)

    def remove_expired(self, reference_ids: Collection[str], at: datetime) -> list[Reference]:
        """Remove entries, for example expired entries; return the removed entries."""
        return self._move(references.c.reference_id.in_(reference_ids), EntryStatus.REMOVED, at)

    def subjects_to_erase(self, before: datetime) -> list[str]:
        """Return the ids of the entries that `erase_subjects` would change."""
        with self._access.reading() as connection:
            return list(
                connection.scalars(sa.select(references.c.reference_id).where(_gone(before)))
            )

    def erase_subjects(self, before: datetime) -> list[str]:
        """Erase the names of people in entries that left the list before this moment.

        The fact that an entry existed, its category and its dates remain. The acts in the audit log
        remain too, without words that name anybody.

        Returns:
            The ids of these entries.
        """
        gone = _gone(before)
        with self._access.writing() as connection:
            ids = list(connection.scalars(sa.select(references.c.reference_id).where(gone)))
            if ids:
                blank = dict.fromkeys(_ERASABLE_FIELDS, "")
                connection.execute(sa.update(references).where(gone).values(**blank))
                erase_words(connection, ids)
        return ids

    def _move(
        self, condition: sa.ColumnElement[bool], to: EntryStatus, at: datetime
    ) -> list[Reference]:
        query = sa.select(*COLUMNS, references.c.template.is_not(None).label("waits")).where(
            condition, references.c.status.in_(_ALLOWED_FROM[to])
        )
        moved: list[str] = []
        with self._access.writing() as connection:
            version = next_version(connection)
            for row in connection.execute(query).all():
                waits = to is EntryStatus.ACTIVE and row.waits
                values: dict[str, Any] = {
                    "status": EntryStatus.PENDING if waits else to,
                    "changed_at": at,
                    "version": version,
                }
                if to is EntryStatus.REMOVED:
                    values |= {"template": None, "settled": False}
                connection.execute(
                    sa.update(references)
                    .where(references.c.reference_id == row.reference_id)
                    .values(values)
                )
                moved.append(row.reference_id)
        return self.references(reference_ids=moved)

    def bind_model(self, facts: GalleryFacts, at: datetime) -> None:
        """Bind the watchlist to the model of its first template.

        Raises:
            Misconfigured: The watchlist is bound to another model.
        """
        with self._access.writing() as connection:
            next_version(connection)  # a second first import at the same time waits here
            bind_model(connection, facts, at)


def _gone(before: datetime) -> sa.ColumnElement[bool]:
    """Return the condition on entries that left the list before this moment and have a name."""
    return sa.and_(
        references.c.status.in_((EntryStatus.REMOVED, EntryStatus.REFUSED)),
        references.c.settled,
        references.c.changed_at < before,
        references.c.subject != "",
    )
