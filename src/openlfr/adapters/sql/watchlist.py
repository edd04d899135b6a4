"""Watchlist entries in SQL: who is listed, why, until when, and what the vector store owes them.

An entry's template passes through here encrypted, on its way to the vector store (an outbox), so
that an import need not hold the store that a running pipeline holds. `settled` is false as long
as the vector store or the vault has to follow what is recorded here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.acts import write_act
from openlfr.adapters.sql.engine import reading
from openlfr.adapters.sql.gallery_model import bind_model, bound_model
from openlfr.adapters.sql.tables import references
from openlfr.adapters.sql.watchlist_rows import COLUMNS, reference_of, row_of
from openlfr.adapters.sql.watchlist_version import newest_version, next_version
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from openlfr.domain.acts import Act
    from openlfr.domain.watchlist import GalleryFacts, Reference, Settlement

_STANDING = (EntryStatus.PENDING, EntryStatus.ACTIVE, EntryStatus.SUSPENDED)
_SOURCES = {
    EntryStatus.SUSPENDED: (EntryStatus.PENDING, EntryStatus.ACTIVE),
    EntryStatus.ACTIVE: (EntryStatus.SUSPENDED,),
    EntryStatus.REMOVED: _STANDING,
}
"""From which statuses an entry may be moved to these."""


class WatchlistRecords:
    """The watchlist entries of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def version(self) -> int:
        """Grows with every change of any entry; cheap enough to ask several times a second."""
        with reading(self._engine) as connection:
            return newest_version(connection)

    def add(
        self,
        reference: Reference,
        *,
        picture_hash: str,
        template: bytes,
        act: Act,
        keep_picture: Callable[[], None],
    ) -> None:
        """Record a pending entry, its act and its encrypted template: all or nothing.

        Args:
            reference: With status `PENDING`.
            picture_hash: sha256 (hex) of the imported file, by which a second import knows it.
            template: Encrypted; the outbox for the vector store.
            act: Who enrolled it and who authorised that.
            keep_picture: Stores the picture; called within the transaction, so that whoever
                looks for pictures without an entry (`recorded_pictures`) never sees one early.
        """
        with self._engine.begin() as connection:
            version = next_version(connection)
            keep_picture()
            connection.execute(
                sa.insert(references).values(
                    row_of(reference)
                    | {
                        "picture_hash": picture_hash,
                        "template": template,
                        "settled": False,
                        "added_at": act.at,
                        "changed_at": act.at,
                        "version": version,
                    }
                )
            )
            write_act(connection, act)

    def standing(
        self, watchlist: str, subject: str, picture_hash: str, at: datetime
    ) -> Reference | None:
        """The entry that this picture has already, unless it was removed, refused or expired."""
        query = sa.select(*COLUMNS).where(
            references.c.watchlist == watchlist,
            references.c.subject == subject,
            references.c.picture_hash == picture_hash,
            references.c.status.in_(_STANDING),
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

    def manifest(self, watchlists: Collection[str]) -> dict[str, tuple[str, datetime]]:
        """Who is searchable: template hash and last moment of each active reference."""
        query = sa.select(
            references.c.reference_id, references.c.template_hash, references.c.expires
        ).where(references.c.watchlist.in_(watchlists), references.c.status == EntryStatus.ACTIVE)
        with reading(self._engine) as connection:
            return {
                row.reference_id: (row.template_hash, row.expires)
                for row in connection.execute(query)
            }

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
        with reading(self._engine) as connection:
            return [(reference_of(row), row.template) for row in connection.execute(query)]

    def settle(self, settlements: Sequence[Settlement]) -> set[str]:
        """Say what became of pending entries and erase their templates from the outbox.

        A refused entry still owes the erasure of its picture: it is `leaving`.

        Returns:
            The ids that were settled. An entry that is no longer pending (suspended or removed
            meanwhile) stays as it is; what the vector store holds of it is not searchable.
        """
        settled = set()
        with self._engine.begin() as connection:
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
                        changed_at=one.act.at,
                        version=version,
                    )
                )
                if changed.rowcount:
                    write_act(connection, one.act)
                    settled.add(one.reference_id)
        return settled

    def leaving(self) -> list[Reference]:
        """Removed and refused entries whose template and picture are still to be erased."""
        return self._read(
            sa.select(*COLUMNS).where(
                references.c.settled.is_(False),
                references.c.status.in_((EntryStatus.REMOVED, EntryStatus.REFUSED)),
            )
        )

    def left(self, reference_ids: Iterable[str], at: datetime) -> None:
        """Say that template and picture of these entries are erased everywhere else."""
        with self._engine.begin() as connection:
            version = next_version(connection)
            for reference_id in reference_ids:
                connection.execute(
                    sa.update(references)
                    .where(references.c.reference_id == reference_id)
                    .values(picture="", template=None, settled=True, changed_at=at, version=version)
                )

    def move(
        self,
        subject: str,
        watchlists: Collection[str] | None,
        to: EntryStatus,
        *,
        act_of: Callable[[Reference], Act],
    ) -> list[Reference]:
        """Suspend, resume or remove a subject's entries, each with its act, all or none.

        An entry that is resumed before its template has reached the vector store is pending
        again. A suspended one keeps its template and picture; a removed one is `leaving`.

        Returns:
            The entries that were moved, as they are now.
        """
        condition = references.c.subject == subject
        if watchlists is not None:
            condition &= references.c.watchlist.in_(watchlists)
        return self._move(condition, to, act_of)

    def retire(
        self, reference_ids: Collection[str], *, act_of: Callable[[Reference], Act]
    ) -> list[Reference]:
        """Remove these entries (expired ones, say), as `move` does; those that were removed."""
        return self._move(references.c.reference_id.in_(reference_ids), EntryStatus.REMOVED, act_of)

    def _move(
        self,
        condition: sa.ColumnElement[bool],
        to: EntryStatus,
        act_of: Callable[[Reference], Act],
    ) -> list[Reference]:
        query = sa.select(*COLUMNS, references.c.template.is_not(None).label("waits")).where(
            condition, references.c.status.in_(_SOURCES[to])
        )
        moved: list[str] = []
        with self._engine.begin() as connection:
            version = next_version(connection)
            for row in connection.execute(query).all():
                act = act_of(reference_of(row))
                waits = to is EntryStatus.ACTIVE and row.waits
                values: dict[str, Any] = {
                    "status": EntryStatus.PENDING if waits else to,
                    "changed_at": act.at,
                    "version": version,
                }
                if to is EntryStatus.REMOVED:
                    values |= {"template": None, "settled": False}
                connection.execute(
                    sa.update(references)
                    .where(references.c.reference_id == row.reference_id)
                    .values(values)
                )
                write_act(connection, act)
                moved.append(row.reference_id)
        return self.references(reference_ids=moved)

    def erase_unrecorded(
        self, kept: Callable[[], Sequence[str]], erase: Callable[[str], None]
    ) -> int:
        """Erase pictures that no entry names (a crash between picture and record leaves one).

        No entry can be added meanwhile, so none loses its picture.

        Args:
            kept: Names of all reference pictures in the vault.
            erase: Erases one of them.

        Returns:
            How many were erased.
        """
        with self._engine.begin() as connection:
            next_version(connection)
            named = set(connection.scalars(sa.select(references.c.picture)))
            unknown = [name for name in kept() if name not in named]
            for name in unknown:
                erase(name)
        return len(unknown)

    def keep_facts(self, facts: GalleryFacts, at: datetime) -> None:
        """Bind the gallery to the model of its first template.

        Raises:
            Misconfigured: It is bound to another one.
        """
        with self._engine.begin() as connection:
            next_version(connection)  # two first imports at once queue up here
            bind_model(connection, facts, at)

    def facts(self) -> GalleryFacts | None:
        """The model that the gallery is bound to; None while nothing was ever enrolled."""
        with reading(self._engine) as connection:
            return bound_model(connection)

    def _read(self, query: sa.Select[Any]) -> list[Reference]:
        with reading(self._engine) as connection:
            return [reference_of(row) for row in connection.execute(query)]
