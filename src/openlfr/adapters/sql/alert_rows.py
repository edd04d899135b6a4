"""Conversion of rows to alerts and their events."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.domain.adjudication import AlertState
from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
from openlfr.domain.alerts import Adjudication, AlertEvent, EventKind, Outcome
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleReason, parse_impossible
from openlfr.domain.sightings import Sighting

_ALERTS, _EVENTS = tables.alerts, tables.alert_events


def select_alerts() -> sa.Select[Any]:
    """Query for alerts, each with its number of flagged sightings."""
    flagged = (
        sa.select(sa.func.count())
        .where(_EVENTS.c.alert_id == _ALERTS.c.alert_id, _EVENTS.c.impossible.is_not(None))
        .scalar_subquery()
    )
    return sa.select(_ALERTS, flagged.label("impossible"))


def alert_of(row: Any) -> RecordedAlert:
    """Convert a row of `select_alerts` to an alert."""
    return RecordedAlert(
        alert_id=row.alert_id,
        deployment=row.deployment,
        subject=row.subject,
        watchlist=row.watchlist,
        opened_at=row.opened_at,
        last_at=row.last_at,
        best_score=row.best_score,
        threshold=row.threshold,
        events=row.events,
        adjudication=Adjudication(row.adjudication) if row.adjudication else None,
        outcome=Outcome(row.outcome) if row.outcome else None,
        decided_at=row.decided_at,
        erased_at=row.erased_at,
        impossible=row.impossible,
        state=AlertState(row.state),
        version=row.version,
        lapse_at=None if row.recording else row.lapse_at,
        lapsed_at=row.lapsed_at,
        settle_at=row.settle_at,
        closed_at=row.closed_at,
        erase_at=row.erase_at,
    )


def event_of(row: Any) -> RecordedEvent:
    """Convert a row to an event; the row also has the deployment, subject and watchlist."""
    flag = parse_impossible(row.impossible)
    sighting = Sighting(
        sighting_id=row.sighting_id,
        deployment=row.deployment,
        camera=row.camera,
        epoch=row.epoch,
        seq=row.seq,
        subject=row.subject,
        watchlist=row.watchlist,
        reference_id=row.reference_id,
        captured_at=row.captured_at,
        box=Box(row.x, row.y, row.w, row.h),
        score=row.score,
        threshold=row.threshold,
        quality=row.quality,
        conflicts_in_frame=flag is not None and flag.why is ImpossibleReason.ONE_FRAME,
        time_assumed=bool(row.time_assumed),
    )
    event = AlertEvent(EventKind(row.kind), row.event_id, row.alert_id, sighting, flag)
    return RecordedEvent(
        event=event, emitted_at=row.emitted_at, evidence=row.evidence, rejected_at=row.rejected_at
    )
