"""Connections for the parts of the records: a transaction for each call, or one for all calls.

The same classes read and write the records either way. Outside a unit of work each call is a
transaction; within a unit of work all calls share one.
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
        """A connection for reading."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """A connection for writing; writes are durable when the transaction ends."""
        ...


class OwnTransactions:
    """Each call is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that takes no write lock and waits for no writer."""
        return reading(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that is durable when it ends."""
        return self._engine.begin()


class OneTransaction:
    """Every call is a part of one transaction, which the caller ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The transaction's connection, which reads its own writes."""
        yield self._connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The transaction's connection."""
        yield self._connection
