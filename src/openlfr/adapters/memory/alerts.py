"""Alerts, their events, cases and holds in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.adapters.memory.recording import assign_alert, record_event
from openlfr.domain import pages
from openlfr.domain.alert_records import AlertPage, RecordedAlert, RecordedEvent
from openlfr.domain.alerts import LIFE
from openlfr.domain.impossible import ImpossibleReason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from openlfr.adapters.memory.state import Access, Alert, State
    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import Hold
    from openlfr.domain.alerts import AlertEvent


class MemoryAlerts:
    """The `AlertRecording` port on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """Return the event with the id of the alert to which it belongs in the records."""
        return assign_alert(self._access.reading(), event, window)

    def record(
        self,
        event: AlertEvent,
        evidence: str | None,
        *,
        emitted_at: datetime,
        window: timedelta = LIFE,
    ) -> bool:
        """Record an event and update its alert; return whether the event was new."""
        recorded = RecordedEvent(event=event, emitted_at=emitted_at, evidence=evidence)
        with self._access.writing() as state:
            return record_event(state, recorded, window)

    def is_recorded(self, event_id: str) -> bool:
        """Return whether this event is recorded."""
        return event_id in self._access.reading().alert_events

    def is_erased(self, event_id: str) -> bool:
        """Return whether this event is recorded and its evidence and position are erased."""
        event = self._access.reading().alert_events.get(event_id)
        return event is not None and event.evidence is None and event.event.sighting.box.w <= 0

    def find(self, prefix: str) -> RecordedAlert:
        """Return the alert whose id, or an id merged into it, begins with `prefix`."""
        state, start = self._access.reading(), prefix.strip().lower()
        alert_ids = {key for key in state.alerts if key.startswith(start)}
        alert_ids |= {into for key, into in state.merged.items() if key.startswith(start)}
        pages.require_one_alert(prefix, sorted(alert_ids))
        return _to_alert(state, state.alerts[alert_ids.pop()])

    def list(
        self, *, undecided: bool = False, deployment: str | None = None, subject: str | None = None
    ) -> Sequence[RecordedAlert]:
        """Return the alerts that meet all given conditions, the latest first."""
        state = self._access.reading()
        return _latest_first(
            each
            for each in (_to_alert(state, row) for row in state.alerts.values())
            if deployment in (None, each.deployment)
            and subject in (None, each.subject)
            and not (undecided and (each.adjudication or each.closed_at))
        )

    def page(
        self,
        limit: int,
        after: str = "",
        *,
        undecided: bool = False,
        deployment: str | None = None,
        subject: str | None = None,
    ) -> AlertPage:
        """Return one page of `list`; `after` is `AlertPage.after` of the previous page."""
        alerts = self.list(undecided=undecided, deployment=deployment, subject=subject)
        if after:
            last_at, alert_id = pages.parse_cursor(after)
            alerts = [
                each
                for each in alerts
                if each.last_at < last_at or (each.last_at == last_at and each.alert_id > alert_id)
            ]
        has_more = len(alerts) > limit
        cursor = pages.cursor_after(alerts[limit - 1]) if has_more else ""
        return AlertPage(tuple(alerts[:limit]), cursor)

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """Return the events of an alert, ordered by capture time."""
        state = self._access.reading()
        return _add_alert_fields(
            state, (e for e in state.alert_events.values() if _alert_id(e) == alert_id)
        )

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """Return the events of one run, or of all runs if `epoch` is None, by capture time."""
        state = self._access.reading()
        return _add_alert_fields(
            state,
            (
                each
                for each in state.alert_events.values()
                if state.alerts[_alert_id(each)].deployment == deployment
                and epoch in (None, each.event.sighting.epoch)
            ),
        )

    def case(self, alert_id: str) -> Case:
        """Return the verdicts and outcomes of an alert."""
        return self._access.reading().alerts[alert_id].case

    def due_alert_ids(self, now: datetime) -> Sequence[str]:
        """Return the ids of alerts that must lapse or whose verdict must become final now."""
        return sorted(
            key
            for key, row in self._access.reading().alerts.items()
            if _must_lapse(row.case, now) or _is_due(row.case.settle_at, now)
        )

    def mistaken_alerts_to_erase(self, now: datetime) -> Sequence[RecordedAlert]:
        """Return the alerts about the wrong person whose pictures or data must be erased now."""
        state = self._access.reading()
        return _latest_first(
            _to_alert(state, row)
            for row in state.alerts.values()
            if _is_due(row.case.erase_at, now)
            and _has_data(state, row)
            and not _has_hold(state, row, now)
        )

    def altered_alerts(self) -> Mapping[str, str]:
        """Return nothing, since deadlines in memory always follow from the decisions."""
        return {}

    def retained_references(self, now: datetime) -> Collection[str]:
        """Return the ids of the entries that sightings of held or sealed alerts name."""
        state = self._access.reading()
        return frozenset(
            each.event.sighting.reference_id
            for each in state.alert_events.values()
            if is_retained(state, state.alerts[_alert_id(each)], now)
        )

    def sealed_alert_ids(self) -> Collection[str]:
        """Return the ids of alerts whose pictures are retained only for a possible complaint."""
        rows = self._access.reading().alerts.items()
        return frozenset(key for key, row in rows if row.case.is_sealed and row.erased_at is None)

    def rejected_events_to_erase(self, now: datetime) -> Sequence[RecordedEvent]:
        """Return events that were removed from their alert and are not completely erased yet."""
        state = self._access.reading()
        events = [
            each
            for each in state.alert_events.values()
            if each.rejected_at is not None
            and each.event.sighting.camera
            and not _has_hold(state, state.alerts[_alert_id(each)], now)
        ]
        return sorted(_add_alert_fields(state, events), key=lambda each: each.event.event_id)

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """Return the holds of an alert, released holds included, the latest first."""
        holds = [h for h in self._access.reading().holds.values() if h.alert_id == alert_id]
        return sorted(holds, key=lambda hold: hold.placed_at, reverse=True)

    def erasable_alerts(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Return unerased alerts without hold or seal, whose last event is before `moment`."""
        state = self._access.reading()
        last_at: dict[str, datetime] = {}
        for each in state.alert_events.values():
            key = _alert_id(each)
            last_at[key] = max(each.emitted_at, last_at.get(key, each.emitted_at))
        return _latest_first(
            _to_alert(state, row)
            for key, row in state.alerts.items()
            if key in last_at and last_at[key] < moment
            if _has_data(state, row) and not is_retained(state, row, now)
        )

    def evidence_names(self) -> set[str]:
        """Return the names of all blobs in the vault to which events refer."""
        events = self._access.reading().alert_events.values()
        return {each.evidence for each in events if each.evidence is not None}


def _latest_first(alerts: Iterable[RecordedAlert]) -> list[RecordedAlert]:
    by_id = sorted(alerts, key=lambda alert: alert.alert_id)
    return sorted(by_id, key=lambda alert: alert.last_at, reverse=True)


def _alert_id(event: RecordedEvent) -> str:
    return event.event.alert_id


def _to_alert(state: State, row: Alert) -> RecordedAlert:
    case = row.case
    verdict, outcome = case.verdict, case.outcome
    events = [each.event for each in state.alert_events.values() if _alert_id(each) == row.alert_id]
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
        adjudication=verdict.adjudication if verdict else None,
        outcome=outcome.outcome if outcome else None,
        decided_at=outcome.at if outcome else verdict.decided_at if verdict else None,
        erased_at=row.erased_at,
        impossible=sum(event.impossible is not None for event in events),
        state=case.state,
        version=case.version,
        lapse_at=case.lapse_at,
        lapsed_at=case.lapsed_at,
        settle_at=case.settle_at,
        closed_at=case.closed_at,
        erase_at=case.erase_at,
    )


def _add_alert_fields(state: State, rows: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """Add the subject and watchlist of the alert to its events, ordered by capture time."""
    events = []
    for each in rows:
        alert, flag = state.alerts[_alert_id(each)], each.event.impossible
        sighting = replace(
            each.event.sighting,
            deployment=alert.deployment,
            subject=alert.subject,
            watchlist=alert.watchlist,
            conflicts_in_frame=flag is not None and flag.why is ImpossibleReason.ONE_FRAME,
        )
        events.append(replace(each, event=replace(each.event, sighting=sighting)))
    return sorted(events, key=lambda e: (e.event.sighting.captured_at, e.event.event_id))


def _is_due(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _must_lapse(case: Case, now: datetime) -> bool:
    return case.lapsed_at is None and case.closed_at is None and _is_due(case.lapse_at, now)


def _has_hold(state: State, row: Alert, now: datetime) -> bool:
    return any(h.alert_id == row.alert_id and h.is_active(now) for h in state.holds.values())


def is_retained(state: State, row: Alert, now: datetime) -> bool:
    """Return whether a hold, or the time for a complaint, prevents the erasure of the alert."""
    outcome = row.case.outcome
    until = outcome.sealed_until if outcome is not None else None
    return _has_hold(state, row, now) or (until is not None and until > now)


def _has_data(state: State, row: Alert) -> bool:
    return row.erased_at is None or any(
        each.evidence is not None or each.event.sighting.box.w > 0
        for each in state.alert_events.values()
        if _alert_id(each) == row.alert_id
    )
