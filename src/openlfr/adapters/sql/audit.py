"""The audit log: rows are added and read, never changed; triggers in the database refuse changes.

Rows are numbered in the order of their commits. Each writer locks the counter first. So the log has
no gaps, and a new row always comes after every row that a reader has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.act_words import COLUMNS, join_words, restore_act, split_act
from openlfr.domain.audit import ClockConfirmed, RecordedAct
from openlfr.domain.principals import Principal, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from openlfr.adapters.sql.access import Access
    from openlfr.domain.audit import AuditEvent

_EVENTS = tables.audit_events
_COUNTER = tables.counters.c.name == "audit"


def write_events(connection: Connection, events: Sequence[AuditEvent]) -> None:
    """Record acts; must be the last statement of their transaction.

    On PostgreSQL other transactions with acts wait here until this transaction ends.
    """
    if not events:
        return
    counters = tables.counters
    count = sa.update(counters).where(_COUNTER).values(value=counters.c.value + len(events))
    connection.execute(count)
    last = int(connection.scalar(sa.select(counters.c.value).where(_COUNTER)) or 0)
    parts = [split_act(event) for event in events]
    connection.execute(
        sa.insert(_EVENTS),
        [
            {
                "position": position,
                "event_id": event.event_id,
                "at": event.at,
                "issuer": event.by.issuer,
                "principal": event.by.subject,
                "name": part.name,
                "roles": sorted(event.by.roles),
                "kind": event.details.kind,
                "object_kind": event.details.object_kind,
                "object_id": event.details.object_id,
                "detail": part.detail,
            }
            for position, (event, part) in enumerate(
                zip(events, parts, strict=True), last - len(events) + 1
            )
        ],
    )
    if words_rows := [part.words_row for part in parts if part.words_row is not None]:
        connection.execute(sa.insert(tables.act_words), words_rows)


class AuditLog:
    """The audit log of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def latest(self) -> RecordedAct | None:
        """Return the act with the latest time since the last confirmation of the clock."""
        confirmed = _EVENTS.alias()
        since = (
            sa.select(sa.func.coalesce(sa.func.max(confirmed.c.position), 0))
            .where(confirmed.c.kind == ClockConfirmed.kind)
            .scalar_subquery()
        )
        query = (
            sa.select(_EVENTS, *COLUMNS)
            .select_from(join_words(_EVENTS))
            .where(_EVENTS.c.position >= since)
            .order_by(_EVENTS.c.at.desc(), _EVENTS.c.position.desc())
            .limit(1)
        )
        with self._access.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _act_of(row)

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Return acts in the order of their commits.

        Args:
            object_kind: Kind of the objects; None for all kinds.
            object_id: Id of one object; None for all objects.
        """
        query = (
            sa.select(_EVENTS, *COLUMNS)
            .select_from(join_words(_EVENTS))
            .order_by(_EVENTS.c.position)
        )
        if object_kind is not None:
            query = query.where(_EVENTS.c.object_kind == object_kind)
        if object_id is not None:
            query = query.where(_EVENTS.c.object_id == object_id)
        with self._access.reading() as connection:
            return [_act_of(row) for row in connection.execute(query)]


def _act_of(row: Any) -> RecordedAct:
    name, detail = restore_act(row)
    return RecordedAct(
        position=row.position,
        event_id=row.event_id,
        at=row.at,
        by=Principal(row.issuer, row.principal, name, frozenset(map(Role, row.roles))),
        kind=row.kind,
        object_kind=row.object_kind,
        object_id=row.object_id,
        detail=detail,
    )
