"""Connections for reading and writing: one transaction per call, or one for a whole unit of work.

The same classes, for example `AlertRecords`, work with both kinds of access.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from openlfr.adapters.sql.engine import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Engine


class Access(Protocol):
    """Opens connections."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection for reading."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """Open a connection for writing; its changes are durable when the transaction ends."""
        ...


class OwnTransactions:
    """Access outside a unit of work: each call is its own transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection that acquires no write lock and waits for no writer."""
        return reading(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """Begin a transaction; its changes are durable when it ends."""
        return self._engine.begin()


class OneTransaction:
    """Access within a unit of work: all calls share a transaction, which the caller ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield the transaction's connection, which reads the transaction's own changes."""
        yield self._connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Return the transaction's connection."""
        yield self._connection
