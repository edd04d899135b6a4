"""Recording an alert event, and updating its alert.

An event may change the state of an alert: the subject's alert before it lapses, or an alert that
nobody could decide is reopened. These changes are recorded as acts of OpenLFR itself.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.audit import write_events
from openlfr.adapters.sql.cases import append, read_case
from openlfr.adapters.sql.merging import live_one, placed, queue_up, remember_merger
from openlfr.domain.adjudication import AlertState
from openlfr.domain.adjudication_rules import end_life, reopen
from openlfr.domain.case_acts import acts_of
from openlfr.domain.principals import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from sqlalchemy.engine import Connection

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.audit import AuditEvent

_ALERTS, _EVENTS = tables.alerts, tables.alert_events


def record_event(
    connection: Connection,
    event: AlertEvent,
    evidence: str | None,
    emitted_at: datetime,
    window: timedelta,
) -> bool:
    """Record an event, once, under its alert; whether it was new."""
    queue_up(connection, event)
    if connection.scalar(is_known(event.event_id)):
        return False
    home = placed(connection, event, window, writes=True)
    remember_merger(connection, home, event, emitted_at)
    known = sa.select(sa.literal(1)).where(_ALERTS.c.alert_id == home.alert_id)
    acts: list[AuditEvent] = []
    if connection.scalar(known) is None:
        live = live_one(connection, home)
        follows = live is None or live[1] <= home.sighting.captured_at
        if live is not None and follows:
            acts += _apply(connection, end_life, live[0], emitted_at)
        _open(connection, home, emitted_at, window, takes_in=follows)
        if not follows:  # it began and ended before the alert that is live now
            ended = read_case(connection, home.alert_id)
            acts += _acts(replace(ended, lapsed_at=None), ended, emitted_at)
    _add_event(connection, home, evidence, emitted_at)
    _bring_up_to_date(connection, home, window)
    acts += _apply(connection, reopen, home.alert_id, emitted_at)
    write_events(connection, acts)
    return True


def _apply(
    connection: Connection, rule: Callable[[Case, datetime], Case], alert_id: str, at: datetime
) -> list[AuditEvent]:
    """Apply a rule to an alert whose row this transaction has locked; returns its acts."""
    before = read_case(connection, alert_id)
    after = rule(before, at)
    if after != before:
        append(connection, before, after, "")
    return _acts(before, after, at)


def _acts(before: Case, after: Case, at: datetime) -> list[AuditEvent]:
    # Not in the future, whatever the message claims: entries expire by the log's latest moment.
    return acts_of(before, after, by=SYSTEM, at=min(at, datetime.now(UTC)))


def is_known(event_id: str) -> sa.Select[Any]:
    """A query that finds the event of this id."""
    return sa.select(sa.literal(1)).where(_EVENTS.c.event_id == event_id)


def _open(
    connection: Connection,
    event: AlertEvent,
    emitted_at: datetime,
    window: timedelta,
    *,
    takes_in: bool,
) -> None:
    """Insert an alert without events; an alert that accepts no more sightings has lapsed.

    The alert is about a recording, which nobody could decide in time, if the film's time is unknown
    or the alert's time was over when it was emitted.
    """
    seen = event.sighting
    recording = seen.time_assumed or emitted_at - seen.captured_at > window
    state = AlertState.OPEN if takes_in or recording else AlertState.LAPSED
    connection.execute(
        sa.insert(_ALERTS).values(
            alert_id=event.alert_id,
            deployment=seen.deployment,
            subject=seen.subject,
            watchlist=seen.watchlist,
            opened_at=seen.captured_at,
            last_at=seen.captured_at,
            best_score=seen.score,
            threshold=seen.threshold,
            events=0,
            recording=recording,
            state=str(state),
            lapse_at=seen.captured_at + window,
            lapsed_at=None if takes_in else emitted_at,
        )
    )


def _add_event(
    connection: Connection, event: AlertEvent, evidence: str | None, emitted_at: datetime
) -> None:
    seen = event.sighting
    connection.execute(
        sa.insert(_EVENTS).values(
            event_id=event.event_id,
            alert_id=event.alert_id,
            kind=str(event.event),
            sighting_id=seen.sighting_id,
            camera=seen.camera,
            epoch=seen.epoch,
            seq=seen.seq,
            captured_at=seen.captured_at,
            emitted_at=emitted_at,
            x=seen.box.x,
            y=seen.box.y,
            w=seen.box.w,
            h=seen.box.h,
            score=seen.score,
            threshold=seen.threshold,
            quality=seen.quality,
            reference_id=seen.reference_id,
            evidence=evidence,
            impossible=asdict(event.impossible) if event.impossible else None,
            time_assumed=seen.time_assumed or None,
        )
    )


def _bring_up_to_date(connection: Connection, event: AlertEvent, window: timedelta) -> None:
    """Update an alert's row with its new event."""
    seen = event.sighting
    earliest, latest, best = _ALERTS.c.opened_at, _ALERTS.c.last_at, _ALERTS.c.best_score
    moment = tables.UtcDateTime()
    at, end = sa.literal(seen.captured_at, moment), sa.literal(seen.captured_at + window, moment)
    connection.execute(
        sa.update(_ALERTS)
        .where(_ALERTS.c.alert_id == event.alert_id)
        .values(
            opened_at=sa.case((at < earliest, at), else_=earliest),
            last_at=sa.case((at > latest, at), else_=latest),
            lapse_at=sa.case((at >= latest, end), else_=_ALERTS.c.lapse_at),
            best_score=sa.case((best < seen.score, seen.score), else_=best),
            events=_ALERTS.c.events + 1,
        )
    )
