"""Alerts, their events, cases and holds in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.adapters.memory.recording import placed, record_event
from openlfr.domain import pages
from openlfr.domain.alert_records import AlertPage, RecordedAlert, RecordedEvent
from openlfr.domain.alerts import LIFE
from openlfr.domain.impossible import ImpossibleReason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime, timedelta

    from openlfr.adapters.memory.state import Access, Alert, State
    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import Hold
    from openlfr.domain.alerts import AlertEvent


class MemoryAlerts:
    """`AlertRecording` on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """The event with the id of its alert, by the events recorded so far."""
        return placed(self._access.reading(), event, window)

    def record(
        self,
        event: AlertEvent,
        evidence: str | None,
        *,
        emitted_at: datetime,
        window: timedelta = LIFE,
    ) -> bool:
        """Record an event and update its alert; whether it was new."""
        recorded = RecordedEvent(event=event, emitted_at=emitted_at, evidence=evidence)
        with self._access.writing() as state:
            return record_event(state, recorded, window)

    def is_recorded(self, event_id: str) -> bool:
        """Whether this event was recorded."""
        return event_id in self._access.reading().alert_events

    def is_erased(self, event_id: str) -> bool:
        """Whether this event is recorded and what was kept of it is erased."""
        event = self._access.reading().alert_events.get(event_id)
        return event is not None and event.evidence is None and event.event.sighting.box.w <= 0

    def find(self, prefix: str) -> RecordedAlert:
        """The alert whose id has this prefix, or an id that was merged into it."""
        state, begins = self._access.reading(), prefix.strip().lower()
        found = {key for key in state.alerts if key.startswith(begins)}
        found |= {into for key, into in state.merged.items() if key.startswith(begins)}
        pages.require_one_alert(prefix, sorted(found))
        return _alert_of(state, state.alerts[found.pop()])

    def list(
        self, *, undecided: bool = False, deployment: str | None = None, subject: str | None = None
    ) -> Sequence[RecordedAlert]:
        """Alerts, the latest first; optionally undecided ones, of a deployment, of a subject."""
        state = self._access.reading()
        return _latest_first(
            each
            for each in (_alert_of(state, row) for row in state.alerts.values())
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
        """One page of `list`; `after` is `AlertPage.after` of the page before."""
        every = self.list(undecided=undecided, deployment=deployment, subject=subject)
        if after:
            last_at, alert_id = pages.parse_cursor(after)
            every = [
                each
                for each in every
                if each.last_at < last_at or (each.last_at == last_at and each.alert_id > alert_id)
            ]
        more = len(every) > limit
        return AlertPage(tuple(every[:limit]), pages.cursor_after(every[limit - 1]) if more else "")

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """The events of an alert, ordered by captured time."""
        state = self._access.reading()
        return _events(state, (e for e in state.alert_events.values() if _of(e) == alert_id))

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """The events of one run, ordered by captured time; of all runs if `epoch` is None."""
        state = self._access.reading()
        return _events(
            state,
            (
                each
                for each in state.alert_events.values()
                if state.alerts[_of(each)].deployment == deployment
                and epoch in (None, each.event.sighting.epoch)
            ),
        )

    def case(self, alert_id: str) -> Case:
        """The alert's case: its verdicts and outcomes."""
        return self._access.reading().alerts[alert_id].case

    def due_alert_ids(self, now: datetime) -> Sequence[str]:
        """Ids of alerts that are due to lapse or to be settled."""
        return sorted(
            key
            for key, row in self._access.reading().alerts.items()
            if _lapses(row.case, now) or _due(row.case.settle_at, now)
        )

    def mistaken_alerts_to_erase(self, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts about the wrong person whose pictures exist but must be erased."""
        state = self._access.reading()
        return _latest_first(
            _alert_of(state, row)
            for row in state.alerts.values()
            if _due(row.case.erase_at, now) and _kept(state, row) and not _held(state, row, now)
        )

    def sealed_alert_ids(self) -> Collection[str]:
        """Ids of alerts whose pictures exist only because of a possible complaint."""
        rows = self._access.reading().alerts.items()
        return frozenset(key for key, row in rows if row.case.is_sealed and row.erased_at is None)

    def rejected_events_to_erase(self, now: datetime) -> Sequence[RecordedEvent]:
        """Sightings rejected from their alert whose pictures or cameras are not erased yet."""
        state = self._access.reading()
        found = [
            each
            for each in state.alert_events.values()
            if each.rejected_at is not None
            and each.event.sighting.camera
            and not _held(state, state.alerts[_of(each)], now)
        ]
        return sorted(_events(state, found), key=lambda each: each.event.event_id)

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """The holds of an alert, ended ones included, the latest first."""
        mine = [h for h in self._access.reading().holds.values() if h.alert_id == alert_id]
        return sorted(mine, key=lambda hold: hold.placed_at, reverse=True)

    def erasable_alerts(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts without a hold, not erased yet, whose last event is older."""
        state = self._access.reading()
        last: dict[str, datetime] = {}
        for each in state.alert_events.values():
            last[_of(each)] = max(each.emitted_at, last.get(_of(each), each.emitted_at))
        return _latest_first(
            _alert_of(state, row)
            for key, row in state.alerts.items()
            if key in last and last[key] < moment
            if _kept(state, row) and not _held(state, row, now)
        )

    def evidence_names(self) -> set[str]:
        """Names in the vault that an event refers to."""
        every = self._access.reading().alert_events.values()
        return {each.evidence for each in every if each.evidence is not None}


def _latest_first(found: Iterable[RecordedAlert]) -> list[RecordedAlert]:
    by_id = sorted(found, key=lambda alert: alert.alert_id)
    return sorted(by_id, key=lambda alert: alert.last_at, reverse=True)


def _of(event: RecordedEvent) -> str:
    return event.event.alert_id


def _alert_of(state: State, row: Alert) -> RecordedAlert:
    case = row.case
    verdict, outcome = case.verdict, case.outcome
    mine = [each.event for each in state.alert_events.values() if _of(each) == row.alert_id]
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
        impossible=sum(event.impossible is not None for event in mine),
        state=case.state,
        version=case.version,
        lapse_at=case.lapse_at,
        lapsed_at=case.lapsed_at,
        settle_at=case.settle_at,
        closed_at=case.closed_at,
        erase_at=case.erase_at,
    )


def _events(state: State, found: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """Events with their alerts' present subject and watchlist, ordered by captured time."""
    events = []
    for each in found:
        alert, flag = state.alerts[_of(each)], each.event.impossible
        sighting = replace(
            each.event.sighting,
            deployment=alert.deployment,
            subject=alert.subject,
            watchlist=alert.watchlist,
            conflicts_in_frame=flag is not None and flag.why is ImpossibleReason.ONE_FRAME,
        )
        events.append(replace(each, event=replace(each.event, sighting=sighting)))
    return sorted(events, key=lambda one: (one.event.sighting.captured_at, one.event.event_id))


def _due(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _lapses(case: Case, now: datetime) -> bool:
    return case.lapsed_at is None and case.closed_at is None and _due(case.lapse_at, now)


def _held(state: State, row: Alert, now: datetime) -> bool:
    return any(h.alert_id == row.alert_id and h.is_active(now) for h in state.holds.values())


def _kept(state: State, row: Alert) -> bool:
    return row.erased_at is None or any(
        each.evidence is not None or each.event.sighting.box.w > 0
        for each in state.alert_events.values()
        if _of(each) == row.alert_id
    )
