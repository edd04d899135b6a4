"""The counter of the watchlist's changes; transactions are in the order of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.tables import counters

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_IS_COUNTER = counters.c.name == "watchlist"


def newest_version(connection: Connection) -> int:
    """Return the number of the newest change; 0 before the first."""
    return int(connection.scalar(sa.select(counters.c.value).where(_IS_COUNTER)) or 0)


def next_version(connection: Connection) -> int:
    """Count a change; return its number. On PostgreSQL other writers wait for the commit."""
    connection.execute(sa.update(counters).where(_IS_COUNTER).values(value=counters.c.value + 1))
    return newest_version(connection)


def lock_counter(connection: Connection) -> None:
    """Block other writers of the watchlist until this transaction ends; count no change."""
    connection.execute(sa.update(counters).where(_IS_COUNTER).values(value=counters.c.value))
