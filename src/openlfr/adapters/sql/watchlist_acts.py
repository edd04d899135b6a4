"""Entries with the acts that they are checked against, of one and the same moment."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.tables import audit_events, references
from openlfr.adapters.sql.watchlist_rows import COLUMNS, reference_of
from openlfr.domain.authority import ACTS, EntryAct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from openlfr.domain.watchlist import Reference

_MORE = [references.c[name] for name in ("version", "changed_at", "settled")]


def with_acts(
    connection: Connection, *conditions: sa.ColumnElement[bool]
) -> Iterator[tuple[Reference, tuple[EntryAct, ...], Any]]:
    """Entries, the acts of `authority.ACTS` on each in their order, and a row of each.

    One query: rows and acts that were read one after the other would not belong together.

    Args:
        connection: That reads.
        conditions: Which entries.

    Yields:
        By version, then id; the row has `version`, `changed_at` and `settled` too.
    """
    acts = audit_events.c
    query = (
        sa.select(*COLUMNS, *_MORE, acts.kind, acts.name, acts.detail)
        .select_from(
            references.outerjoin(
                audit_events,
                (acts.object_kind == "reference")
                & (acts.object_id == references.c.reference_id)
                & acts.kind.in_(ACTS),
            )
        )
        .where(*conditions)
        .order_by(references.c.version, references.c.reference_id, acts.position)
    )
    for _, found in groupby(connection.execute(query), key=lambda row: row.reference_id):
        rows = list(found)
        yield (
            reference_of(rows[0]),
            tuple(EntryAct(row.kind, row.name, row.detail) for row in rows if row.kind),
            rows[0],
        )
