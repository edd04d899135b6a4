"""One transaction over the records: changes and their audit events."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from openlfr.adapters.sql.access import OneTransaction
from openlfr.adapters.sql.alert_changes import AlertChanges
from openlfr.adapters.sql.audit import write_events
from openlfr.adapters.sql.baselines import BaselineChanges
from openlfr.adapters.sql.deployments import DeploymentChanges
from openlfr.adapters.sql.watchlist_changes import WatchlistChanges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

    from openlfr.domain.audit import AuditEvent


class UnitOfWork:
    """Changes of one transaction; `unit_of_work` ends it."""

    def __init__(self, connection: Connection) -> None:
        access = OneTransaction(connection)
        self.watchlist = WatchlistChanges(access)
        self.alerts = AlertChanges(access)
        self.deployments = DeploymentChanges(access)
        self.baselines = BaselineChanges(access)
        self.events: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        """Record an act.

        It is written at the end of the transaction: acts of all transactions have consecutive
        numbers, and a transaction that has taken a number makes the others wait.
        """
        self.events.append(event)


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[UnitOfWork]:
    """A transaction: committed at the end, rolled back on an exception."""
    with engine.begin() as connection:
        work = UnitOfWork(connection)
        yield work
        write_events(connection, work.events)
