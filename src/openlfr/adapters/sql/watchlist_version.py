"""The counter of the watchlist's changes, which puts transactions in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.tables import counters

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_OURS = counters.c.name == "watchlist"


def newest_version(connection: Connection) -> int:
    """Number of the newest change; 0 before the first."""
    return int(connection.scalar(sa.select(counters.c.value).where(_OURS)) or 0)


def next_version(connection: Connection) -> int:
    """Count a change; on PostgreSQL other writers wait here until this transaction ends."""
    connection.execute(sa.update(counters).where(_OURS).values(value=counters.c.value + 1))
    return newest_version(connection)


def wait_for_others(connection: Connection) -> None:
    """Have other writers of the watchlist wait until the end, without counting a change."""
    connection.execute(sa.update(counters).where(_OURS).values(value=counters.c.value))
