"""Acts: rows that are added and read, never changed (triggers in the database see to it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.engine import reading
from openlfr.domain.acts import Act

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


def write_act(connection: Connection, act: Act) -> None:
    """Record an act in the transaction that does it, so that neither exists without the other."""
    connection.execute(
        sa.insert(tables.acts).values(
            at=act.at,
            actor=act.actor,
            act=act.act,
            object_kind=act.object_kind,
            object_id=act.object_id,
            detail=dict(act.detail),
        )
    )


class ActRecords:
    """The acts of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, act: Act) -> None:
        """Record an act that changes nothing else in the records; durable on return."""
        with self._engine.begin() as connection:
            write_act(connection, act)

    def all(self, *, object_kind: str | None = None, object_id: str | None = None) -> list[Act]:
        """Acts in the order they were recorded, of one kind of object or one object if given."""
        query = sa.select(tables.acts).order_by(tables.acts.c.id)
        if object_kind is not None:
            query = query.where(tables.acts.c.object_kind == object_kind)
        if object_id is not None:
            query = query.where(tables.acts.c.object_id == object_id)
        with reading(self._engine) as connection:
            return [
                Act(
                    at=row.at,
                    actor=row.actor,
                    act=row.act,
                    object_kind=row.object_kind,
                    object_id=row.object_id,
                    detail=row.detail,
                )
                for row in connection.execute(query)
            ]
