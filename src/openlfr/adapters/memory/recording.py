"""Recording an alert event in memory, as in `adapters/sql/alert_recording.py`."""

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


def placed(state: State, event: AlertEvent, window: timedelta) -> AlertEvent:
    """The event with the id of its alert; reads only."""
    seen = event.sighting
    if (known := state.alert_events.get(event.event_id)) is not None:
        return replace(event, event=known.event.event, alert_id=known.event.alert_id)
    own = state.merged.get(event.alert_id, event.alert_id)
    living = [
        row
        for row in _about(state, event)
        if row.case.closed_at is None
        and row.erased_at is None
        and (row.case.lapsed_at is None or row.recording)
        and row.opened_at <= seen.captured_at + window
        and row.last_at >= seen.captured_at - window
    ]
    if living:
        home = min(living, key=lambda row: (row.alert_id != own, row.opened_at)).alert_id
        kind = event.event if home == event.alert_id else EventKind.JOINED
        return replace(event, event=kind, alert_id=home)
    if own not in state.alerts:
        return event
    return replace(event, event=EventKind.OPENED, alert_id=alert_id_of(seen.sighting_id))


def record_event(state: State, recorded: RecordedEvent, window: timedelta) -> bool:
    """Record an event, once, under its alert; whether it was new."""
    event, at = recorded.event, recorded.emitted_at
    if event.event_id in state.alert_events:
        return False
    home = placed(state, event, window)
    if home.alert_id != event.alert_id and event.alert_id not in state.alerts:
        state.merged.setdefault(event.alert_id, home.alert_id)
    if home.alert_id not in state.alerts:
        _open(state, home, at, window)
    # The subject is stored once, with the alert, so that it can be erased.
    nobody = replace(home.sighting, deployment="", subject="", watchlist="")
    state.alert_events[event.event_id] = replace(recorded, event=replace(home, sighting=nobody))
    _bring_up_to_date(state, home, window)
    _apply(state, reopen, home.alert_id, at)
    return True


def _about(state: State, event: AlertEvent) -> list[Alert]:
    seen = event.sighting
    whose = (seen.deployment, seen.subject)
    return [row for row in state.alerts.values() if (row.deployment, row.subject) == whose]


def _open(state: State, event: AlertEvent, at: datetime, window: timedelta) -> None:
    """Insert an alert without events, and end the subject's live alert."""
    seen = event.sighting
    live = [r for r in _about(state, event) if not (r.case.lapsed_at or r.case.closed_at)]
    follows = all(row.last_at <= seen.captured_at for row in live)
    for row in live:
        if follows:
            _apply(state, end_life, row.alert_id, at)
    recording = seen.time_assumed or at - seen.captured_at > window
    opened = Case(event.alert_id, lapse_at=None if recording else seen.captured_at + window)
    case = opened if follows else replace(opened, lapsed_at=at)
    state.alerts[event.alert_id] = Alert(
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
        case=case,
    )
    _record_acts(state, opened, case, at)


def _bring_up_to_date(state: State, event: AlertEvent, window: timedelta) -> None:
    """Update an alert's row with its new event."""
    seen, row = event.sighting, state.alerts[event.alert_id]
    case = row.case
    if seen.captured_at >= row.last_at and not row.recording:
        case = replace(case, lapse_at=seen.captured_at + window)
    state.alerts[event.alert_id] = replace(
        row,
        opened_at=min(row.opened_at, seen.captured_at),
        last_at=max(row.last_at, seen.captured_at),
        best_score=max(row.best_score, seen.score),
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
    # Not in the future, whatever the message claims: entries expire by the log's latest moment.
    write_events(state, acts_of(before, after, by=SYSTEM, at=min(at, datetime.now(UTC))))
