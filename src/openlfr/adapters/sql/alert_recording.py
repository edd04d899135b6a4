"""Recording an alert event, and updating its alert.

An event may change the state of an alert. A subject's previous alert lapses when a new alert opens.
An alert that was decided as "cannot tell" is reopened by a further sighting. These changes are
recorded as acts of OpenLFR itself.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.audit import write_events
from openlfr.adapters.sql.cases import append_changes, read_case
from openlfr.adapters.sql.merging import assign_alert, lock_live_alert, lock_subject, record_merger
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
    """Record an event under its alert, unless it is recorded already; return whether it was new."""
    lock_subject(connection, event)
    if connection.scalar(select_event(event.event_id)):
        return False
    assigned = assign_alert(connection, event, window, for_update=True)
    record_merger(connection, assigned, event, emitted_at)
    alert_row = sa.select(sa.literal(1)).where(_ALERTS.c.alert_id == assigned.alert_id)
    acts: list[AuditEvent] = []
    if connection.scalar(alert_row) is None:
        live = lock_live_alert(connection, assigned)
        is_latest = live is None or live[1] <= assigned.sighting.captured_at
        if live is not None and is_latest:
            acts += _apply(connection, end_life, live[0], emitted_at)
        _open(connection, assigned, emitted_at, window, accepts_sightings=is_latest)
        if not is_latest:  # this alert began and ended before the live alert
            ended = read_case(connection, assigned.alert_id)
            acts += _acts(replace(ended, lapsed_at=None), ended, emitted_at)
    _add_event(connection, assigned, evidence, emitted_at)
    _update_alert(connection, assigned, window)
    acts += _apply(connection, reopen, assigned.alert_id, emitted_at)
    write_events(connection, acts)
    return True


def _apply(
    connection: Connection, rule: Callable[[Case, datetime], Case], alert_id: str, at: datetime
) -> list[AuditEvent]:
    """Apply a rule to an alert whose row this transaction has locked; return the acts."""
    before = read_case(connection, alert_id)
    after = rule(before, at)
    if after != before:
        append_changes(connection, before, after, "")
    return _acts(before, after, at)


def _acts(before: Case, after: Case, at: datetime) -> list[AuditEvent]:
    # A message may contain a time in the future. Such a time in the log would expire entries early,
    # since entries expire by the log's latest moment.
    return acts_of(before, after, by=SYSTEM, at=min(at, datetime.now(UTC)))


def select_event(event_id: str) -> sa.Select[Any]:
    """Query that returns a row if the event is recorded."""
    return sa.select(sa.literal(1)).where(_EVENTS.c.event_id == event_id)


def _open(
    connection: Connection,
    event: AlertEvent,
    emitted_at: datetime,
    window: timedelta,
    *,
    accepts_sightings: bool,
) -> None:
    """Insert an alert without events.

    The alert counts as a recording, which nobody could have decided in time, if the film's time is
    unknown or the alert's lifetime was over at the emission. An alert that accepts no sightings is
    inserted as lapsed, unless it is a recording.
    """
    sighting = event.sighting
    recording = sighting.time_assumed or emitted_at - sighting.captured_at > window
    state = AlertState.OPEN if accepts_sightings or recording else AlertState.LAPSED
    connection.execute(
        sa.insert(_ALERTS).values(
            alert_id=event.alert_id,
            deployment=sighting.deployment,
            subject=sighting.subject,
            watchlist=sighting.watchlist,
            opened_at=sighting.captured_at,
            last_at=sighting.captured_at,
            best_score=sighting.score,
            threshold=sighting.threshold,
            events=0,
            recording=recording,
            state=str(state),
            lapse_at=sighting.captured_at + window,
            lapsed_at=None if accepts_sightings else emitted_at,
        )
    )


def _add_event(
    connection: Connection, event: AlertEvent, evidence: str | None, emitted_at: datetime
) -> None:
    sighting = event.sighting
    connection.execute(
        sa.insert(_EVENTS).values(
            event_id=event.event_id,
            alert_id=event.alert_id,
            kind=str(event.event),
            sighting_id=sighting.sighting_id,
            camera=sighting.camera,
            epoch=sighting.epoch,
            seq=sighting.seq,
            captured_at=sighting.captured_at,
            emitted_at=emitted_at,
            x=sighting.box.x,
            y=sighting.box.y,
            w=sighting.box.w,
            h=sighting.box.h,
            score=sighting.score,
            threshold=sighting.threshold,
            quality=sighting.quality,
            reference_id=sighting.reference_id,
            evidence=evidence,
            impossible=asdict(event.impossible) if event.impossible else None,
            time_assumed=sighting.time_assumed or None,
        )
    )


def _update_alert(connection: Connection, event: AlertEvent, window: timedelta) -> None:
    """Update an alert's row with its new event."""
    sighting = event.sighting
    earliest, latest, best = _ALERTS.c.opened_at, _ALERTS.c.last_at, _ALERTS.c.best_score
    moment = tables.UtcDateTime()
    at = sa.literal(sighting.captured_at, moment)
    end = sa.literal(sighting.captured_at + window, moment)
    connection.execute(
        sa.update(_ALERTS)
        .where(_ALERTS.c.alert_id == event.alert_id)
        .values(
            opened_at=sa.case((at < earliest, at), else_=earliest),
            last_at=sa.case((at > latest, at), else_=latest),
            lapse_at=sa.case((at >= latest, end), else_=_ALERTS.c.lapse_at),
            best_score=sa.case((best < sighting.score, sighting.score), else_=best),
            events=_ALERTS.c.events + 1,
        )
    )
