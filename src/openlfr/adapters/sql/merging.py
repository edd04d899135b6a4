"""Two alerts that are one: the second was opened since the alert book had lost the first.

A Redis that fails over may lose its last writes; the next sighting of a subject then opens an
alert where it should have joined one. Nothing is lost by that, but operators would decide twice.
So an alert that nobody has decided yet takes in what is told, under another id, of the same
subject within the window; the other id still leads to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.engine import insert_new
from openlfr.adapters.sql.tables import alerts, merged_alerts

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from openlfr.domain.alerts import AlertEvent


def home_of(connection: Connection, event: AlertEvent, window: timedelta, at: datetime) -> str:
    """The id of the alert to which an event belongs: its own, or that of an open one before it.

    On PostgreSQL whoever records an event of the same subject waits here until the transaction
    is over; SQLite has one writer anyway.

    Args:
        connection: In a transaction that writes.
        event: As it was told.
        window: How near sightings of one alert are, by captured time.
        at: UTC, written beside a merger.
    """
    seen = event.sighting
    if connection.dialect.name == "postgresql":
        whose = sa.func.hashtext(f"{seen.deployment}\x1f{seen.subject}")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(whose)))
    merged = sa.select(merged_alerts.c.into).where(merged_alerts.c.alert_id == event.alert_id)
    if (into := connection.scalar(merged)) is not None:
        return str(into)
    known = sa.select(alerts.c.alert_id).where(alerts.c.alert_id == event.alert_id)
    if connection.scalar(known) is not None:
        return event.alert_id
    still_open = (
        sa.select(alerts.c.alert_id)
        .where(
            alerts.c.deployment == seen.deployment,
            alerts.c.subject == seen.subject,
            alerts.c.adjudication.is_(None),
            alerts.c.outcome.is_(None),
            alerts.c.erased_at.is_(None),
            alerts.c.opened_at <= seen.captured_at + window,
            alerts.c.last_at >= seen.captured_at - window,
        )
        .order_by(alerts.c.opened_at)
        .limit(1)
        .with_for_update()  # who decides it now is waited for: then it is over
    )
    if (into := connection.scalar(still_open)) is None:
        return event.alert_id
    insert_new(connection, merged_alerts, alert_id=event.alert_id, into=into, merged_at=at)
    return str(into)


def merged_into(prefix: str) -> sa.Select[tuple[str]]:
    """The ids of the alerts that took in one whose id begins so."""
    return sa.select(merged_alerts.c.into).where(
        merged_alerts.c.alert_id.startswith(prefix, autoescape=True)
    )
