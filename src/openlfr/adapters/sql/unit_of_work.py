"""A transaction over the records: changes and their audit events."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from openlfr.adapters.sql.access import OneTransaction
from openlfr.adapters.sql.alert_changes import AlertChanges
from openlfr.adapters.sql.audit import write_events
from openlfr.adapters.sql.baselines import BaselineChanges
from openlfr.adapters.sql.calibrations import CalibrationChanges
from openlfr.adapters.sql.deployments import DeploymentChanges
from openlfr.adapters.sql.passages import PassageChanges
from openlfr.adapters.sql.watchlist_changes import WatchlistChanges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

    from openlfr.domain.audit import AuditEvent


class UnitOfWork:
    """The changes in one transaction; `unit_of_work` begins and ends the transaction."""

    def __init__(self, connection: Connection) -> None:
        access = OneTransaction(connection)
        self.watchlist = WatchlistChanges(access)
        self.alerts = AlertChanges(access)
        self.deployments = DeploymentChanges(access)
        self.baselines = BaselineChanges(access)
        self.passages = PassageChanges(access)
        self.calibrations = CalibrationChanges(access)
        self.events: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        """Record an act at the end of the transaction.

        Acts of all transactions have consecutive numbers. After a transaction has assigned a
        number, other transactions with acts must wait until this transaction ends.
        """
        self.events.append(event)


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[UnitOfWork]:
    """Begin a transaction: committed at the end of the `with`, rolled back on an exception."""
    with engine.begin() as connection:
        work = UnitOfWork(connection)
        yield work
        write_events(connection, work.events)
