"""The alert of an event: the one that it was published with, or the subject's live alert.

At most one alert of a subject is live and accepts sightings, decided or not, until `window` has
passed since its last sighting, by captured time. Films of several cameras are not read in parallel,
so with recordings an earlier alert also accepts the sightings near it.

The alert book folds by the same rule, but without outcomes and verdicts; and a Redis that fails
over may lose its last writes and open an alert instead of joining one. The records are right in
both cases: an alert published meanwhile under another id is merged, and that id leads to the alert
that it was merged into.
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
    """Wait for other transactions with events of the same subject; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        whose = sa.func.hashtext(f"{event.sighting.deployment}\x1f{event.sighting.subject}")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(whose)))


def assign_alert(
    connection: Connection, event: AlertEvent, window: timedelta, *, writes: bool
) -> AlertEvent:
    """The event with the id of its alert; reads only.

    Args:
        connection: A connection; before a write, after `lock_subject`.
        event: The event as the alert book folded it.
        window: Longest time between sightings of one alert, by captured time.
        writes: Whether the event is recorded next. The alert's row is locked then, so that a
            transaction that closes the alert is waited for.
    """
    seen = event.sighting
    known = connection.execute(
        sa.select(alert_events.c.alert_id, alert_events.c.kind).where(
            alert_events.c.event_id == event.event_id
        )
    ).one_or_none()
    if known is not None:
        return replace(event, event=EventKind(known.kind), alert_id=known.alert_id)
    merged = sa.select(merged_alerts.c.into).where(merged_alerts.c.alert_id == event.alert_id)
    own = str(connection.scalar(merged) or event.alert_id)
    # The sighting's time is compared with both ends, since SQLite cannot add to a column's moment.
    lives = sa.and_(
        alerts.c.deployment == seen.deployment,
        alerts.c.subject == seen.subject,
        alerts.c.closed_at.is_(None),
        alerts.c.erased_at.is_(None),
        sa.or_(alerts.c.lapsed_at.is_(None), alerts.c.recording),
        alerts.c.opened_at <= seen.captured_at + window,
        alerts.c.last_at >= seen.captured_at - window,
    )
    query = (
        sa.select(alerts.c.alert_id)
        .where(lives)
        .order_by(sa.case((alerts.c.alert_id == own, 0), else_=1), alerts.c.opened_at)
        .limit(1)
    )
    if (home := connection.scalar(query.with_for_update() if writes else query)) is not None:
        kind = event.event if home == event.alert_id else EventKind.JOINED
        return replace(event, event=kind, alert_id=str(home))
    if connection.scalar(sa.select(sa.literal(1)).where(alerts.c.alert_id == own)) is None:
        return event
    return replace(event, event=EventKind.OPENED, alert_id=alert_id_of(seen.sighting_id))


def lock_live_alert(connection: Connection, event: AlertEvent) -> tuple[str, datetime] | None:
    """The live alert of an event's subject, and the captured time of its last sighting.

    Waits for other changes of the alert, and locks its row until the transaction ends.
    """
    seen = event.sighting
    query = sa.select(alerts.c.alert_id, alerts.c.last_at).where(
        alerts.c.deployment == seen.deployment,
        alerts.c.subject == seen.subject,
        alerts.c.lapsed_at.is_(None),
        alerts.c.closed_at.is_(None),
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    return (row.alert_id, row.last_at) if row else None


def record_merger(
    connection: Connection, event: AlertEvent, published: AlertEvent, at: datetime
) -> None:
    """Record that the published id was merged into the event's alert.

    Only if no alert is recorded under the published id.
    """
    if published.alert_id == event.alert_id:
        return
    known = sa.select(sa.literal(1)).where(alerts.c.alert_id == published.alert_id)
    if connection.scalar(known) is None:
        insert_new(
            connection,
            merged_alerts,
            alert_id=published.alert_id,
            into=event.alert_id,
            merged_at=at,
        )


def select_merged_into(prefix: str) -> sa.Select[tuple[str]]:
    """A query for the alerts into which an alert with this prefix was merged."""
    return sa.select(merged_alerts.c.into).where(
        merged_alerts.c.alert_id.startswith(prefix, autoescape=True)
    )
