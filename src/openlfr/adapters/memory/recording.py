"""The recording of alert events in memory, as in `adapters/sql/alert_recording.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.adapters.memory.audit import write_events
from openlfr.adapters.memory.state import Alert
from openlfr.domain.adjudication import Case
from openlfr.domain.adjudication_rules import end_life, reopen
from openlfr.domain.alerts import EventKind, alert_id_of
from openlfr.domain.case_acts import acts_of
from openlfr.domain.principals import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from openlfr.adapters.memory.state import State
    from openlfr.domain.alert_records import RecordedEvent
    from openlfr.domain.alerts import AlertEvent


def assign_alert(state: State, event: AlertEvent, window: timedelta) -> AlertEvent:
    """Return the event with the id of the alert to which it belongs; record nothing."""
    sighting = event.sighting
    if (known := state.alert_events.get(event.event_id)) is not None:
        return replace(event, event=known.event.event, alert_id=known.event.alert_id)
    published_id = state.merged.get(event.alert_id, event.alert_id)
    live = [
        row
        for row in _alerts_of_subject(state, event)
        if row.case.closed_at is None
        and row.erased_at is None
        and (row.case.lapsed_at is None or row.recording)
        and row.opened_at <= sighting.captured_at + window
        and row.last_at >= sighting.captured_at - window
    ]
    if live:
        alert = min(live, key=lambda row: (row.alert_id != published_id, row.opened_at))
        kind = event.event if alert.alert_id == event.alert_id else EventKind.JOINED
        return replace(event, event=kind, alert_id=alert.alert_id)
    if published_id not in state.alerts:
        return event
    return replace(event, event=EventKind.OPENED, alert_id=alert_id_of(sighting.sighting_id))


def record_event(state: State, recorded: RecordedEvent, window: timedelta) -> bool:
    """Record an event once with its alert; return whether the event was new."""
    event, at = recorded.event, recorded.emitted_at
    if event.event_id in state.alert_events:
        return False
    assigned = assign_alert(state, event, window)
    if assigned.alert_id != event.alert_id and event.alert_id not in state.alerts:
        state.merged.setdefault(event.alert_id, assigned.alert_id)
    if assigned.alert_id not in state.alerts:
        _open_alert(state, assigned, at, window)
    # Only the alert contains the subject, so that erasing the alert's subject is enough.
    sighting = replace(assigned.sighting, deployment="", subject="", watchlist="")
    stored = replace(assigned, sighting=sighting)
    state.alert_events[event.event_id] = replace(recorded, event=stored)
    _update_alert(state, assigned, window)
    _apply(state, reopen, assigned.alert_id, at)
    return True


def _alerts_of_subject(state: State, event: AlertEvent) -> list[Alert]:
    key = (event.sighting.deployment, event.sighting.subject)
    return [row for row in state.alerts.values() if (row.deployment, row.subject) == key]


def _open_alert(state: State, event: AlertEvent, at: datetime, window: timedelta) -> None:
    """Insert an alert without events.

    If its sighting is the subject's latest, the subject's live alerts end. Otherwise the new alert
    has lapsed from the beginning.
    """
    sighting = event.sighting
    live = [
        row
        for row in _alerts_of_subject(state, event)
        if not (row.case.lapsed_at or row.case.closed_at)
    ]
    is_latest = all(row.last_at <= sighting.captured_at for row in live)
    for row in live:
        if is_latest:
            _apply(state, end_life, row.alert_id, at)
    recording = sighting.time_assumed or at - sighting.captured_at > window
    opened = Case(event.alert_id, lapse_at=None if recording else sighting.captured_at + window)
    case = opened if is_latest else replace(opened, lapsed_at=at)
    state.alerts[event.alert_id] = Alert(
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
        case=case,
    )
    _record_acts(state, opened, case, at)


def _update_alert(state: State, event: AlertEvent, window: timedelta) -> None:
    """Update an alert's row with its new event."""
    sighting, row = event.sighting, state.alerts[event.alert_id]
    case = row.case
    if sighting.captured_at >= row.last_at and not row.recording:
        case = replace(case, lapse_at=sighting.captured_at + window)
    state.alerts[event.alert_id] = replace(
        row,
        opened_at=min(row.opened_at, sighting.captured_at),
        last_at=max(row.last_at, sighting.captured_at),
        best_score=max(row.best_score, sighting.score),
        events=row.events + 1,
        case=case,
    )


def _apply(
    state: State, rule: Callable[[Case, datetime], Case], alert_id: str, at: datetime
) -> None:
    row = state.alerts[alert_id]
    after = rule(row.case, at)
    state.alerts[alert_id] = replace(row, case=after)
    _record_acts(state, row.case, after, at)


def _record_acts(state: State, before: Case, after: Case, at: datetime) -> None:
    # Never in the future, even if the message is: entries expire by the log's latest time.
    write_events(state, acts_of(before, after, by=SYSTEM, at=min(at, datetime.now(UTC))))
