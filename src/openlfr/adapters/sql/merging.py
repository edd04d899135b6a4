"""The alert of an event: its published alert, or the subject's live alert.

At most one alert of a subject is live. A live alert accepts sightings, whether decided or not,
until `window` has passed since its last sighting, by captured time. Films of several cameras are
not read in parallel. So an earlier alert of a recording also accepts sightings that are close to it
in time.

The alert book assigns events by the same rule, but without outcomes and verdicts. Moreover, Redis
may lose its last writes at a failover, and the book then opens an alert instead of joining one. The
records are authoritative in both cases: the published alert is merged into the right alert, and the
published id still leads to that alert.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.engine import insert_new
from openlfr.adapters.sql.tables import alert_events, alerts, merged_alerts
from openlfr.domain.alerts import EventKind, alert_id_of

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from openlfr.domain.alerts import AlertEvent


def lock_subject(connection: Connection, event: AlertEvent) -> None:
    """Wait for other transactions with events of the same subject; SQLite has only one writer."""
    if connection.dialect.name == "postgresql":
        key = sa.func.hashtext(f"{event.sighting.deployment}\x1f{event.sighting.subject}")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def assign_alert(
    connection: Connection, event: AlertEvent, window: timedelta, *, for_update: bool
) -> AlertEvent:
    """Return the event with the id of its alert; nothing is recorded.

    Args:
        connection: A connection. Before a write, call `lock_subject` first.
        event: The event with the alert that the alert book assigned.
        window: Longest time between sightings of one alert, by captured time.
        for_update: Whether the caller records the event next. If so, the alert's row is locked;
            a transaction that is closing the alert ends first.
    """
    sighting = event.sighting
    recorded = connection.execute(
        sa.select(alert_events.c.alert_id, alert_events.c.kind).where(
            alert_events.c.event_id == event.event_id
        )
    ).one_or_none()
    if recorded is not None:
        return replace(event, event=EventKind(recorded.kind), alert_id=recorded.alert_id)
    merger = sa.select(merged_alerts.c.into).where(merged_alerts.c.alert_id == event.alert_id)
    assigned_id = str(connection.scalar(merger) or event.alert_id)
    # `window` is added to the sighting's time, since SQLite cannot add it to a column.
    is_candidate = sa.and_(
        alerts.c.deployment == sighting.deployment,
        alerts.c.subject == sighting.subject,
        alerts.c.closed_at.is_(None),
        alerts.c.erased_at.is_(None),
        sa.or_(alerts.c.lapsed_at.is_(None), alerts.c.recording),
        alerts.c.opened_at <= sighting.captured_at + window,
        alerts.c.last_at >= sighting.captured_at - window,
    )
    query = (
        sa.select(alerts.c.alert_id)
        .where(is_candidate)
        .order_by(sa.case((alerts.c.alert_id == assigned_id, 0), else_=1), alerts.c.opened_at)
        .limit(1)
    )
    alert_id = connection.scalar(query.with_for_update() if for_update else query)
    if alert_id is not None:
        kind = event.event if alert_id == event.alert_id else EventKind.JOINED
        return replace(event, event=kind, alert_id=str(alert_id))
    if connection.scalar(sa.select(sa.literal(1)).where(alerts.c.alert_id == assigned_id)) is None:
        return event
    return replace(event, event=EventKind.OPENED, alert_id=alert_id_of(sighting.sighting_id))


def lock_live_alert(connection: Connection, event: AlertEvent) -> tuple[str, datetime] | None:
    """Lock the live alert of an event's subject; return its id and its last captured time.

    The lock waits for other transactions that change the alert, and lasts until this transaction
    ends.
    """
    sighting = event.sighting
    query = sa.select(alerts.c.alert_id, alerts.c.last_at).where(
        alerts.c.deployment == sighting.deployment,
        alerts.c.subject == sighting.subject,
        alerts.c.lapsed_at.is_(None),
        alerts.c.closed_at.is_(None),
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    return (row.alert_id, row.last_at) if row else None


def record_merger(
    connection: Connection, event: AlertEvent, published: AlertEvent, at: datetime
) -> None:
    """Record that the published alert was merged into the event's alert.

    Nothing is recorded if the published alert exists in the records.
    """
    if published.alert_id == event.alert_id:
        return
    exists = sa.select(sa.literal(1)).where(alerts.c.alert_id == published.alert_id)
    if connection.scalar(exists) is None:
        insert_new(
            connection,
            merged_alerts,
            alert_id=published.alert_id,
            into=event.alert_id,
            merged_at=at,
        )


def select_merged_into(prefix: str) -> sa.Select[tuple[str]]:
    """Query for the alerts into which alerts with this prefix were merged."""
    return sa.select(merged_alerts.c.into).where(
        merged_alerts.c.alert_id.startswith(prefix, autoescape=True)
    )
