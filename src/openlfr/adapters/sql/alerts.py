"""Alerts, their events and decisions in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.alert_recording import record_event, select_event
from openlfr.adapters.sql.alert_rows import alert_of, event_of, select_alerts
from openlfr.adapters.sql.cases import read_case
from openlfr.adapters.sql.due_alerts import (
    find_alterations,
    has_hold,
    has_personal_data,
    is_refuted,
    is_retained,
    may_be_erased,
    must_erase,
    must_settle,
    select_settlements,
)
from openlfr.adapters.sql.merging import assign_alert, select_merged_into
from openlfr.domain import pages
from openlfr.domain.alert_records import AlertPage, Hold, HoldKind
from openlfr.domain.alerts import LIFE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from openlfr.adapters.sql.access import Access
    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
    from openlfr.domain.alerts import AlertEvent

_ALERTS, _EVENTS = tables.alerts, tables.alert_events


class AlertRecords:
    """The alerts of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """Return the event with the id of its alert, as assigned from the recorded events."""
        with self._access.reading() as connection:
            return assign_alert(connection, event, window, for_update=False)

    def record(
        self,
        event: AlertEvent,
        evidence: str | None,
        *,
        emitted_at: datetime,
        window: timedelta = LIFE,
    ) -> bool:
        """Record an event and update its alert; an event that is already recorded changes nothing.

        Events of an alert may arrive in any order, even a joining event before the opening event.

        Args:
            event: The event as published.
            evidence: Name in the vault; None without evidence.
            emitted_at: Time of emission, UTC.
            window: Longest time between sightings of one alert. With this window the event
                may belong to another alert than the published alert; then the event is recorded
                with that other alert (see `merging`).

        Returns:
            Whether the event was new.
        """
        with self._access.writing() as connection:
            return record_event(connection, event, evidence, emitted_at, window)

    def is_recorded(self, event_id: str) -> bool:
        """Return whether this event is recorded."""
        with self._access.reading() as connection:
            return connection.scalar(select_event(event_id)) is not None

    def is_erased(self, event_id: str) -> bool:
        """Return whether this event is recorded and its picture and position are erased."""
        is_unerased = sa.or_(_EVENTS.c.evidence.is_not(None), _EVENTS.c.w > 0)
        with self._access.reading() as connection:
            return connection.scalar(select_event(event_id).where(~is_unerased)) is not None

    def find(self, prefix: str) -> RecordedAlert:
        """Return the alert whose id, or an id that was merged into it, has this prefix.

        Raises:
            BadInput: No alert has this prefix, or several have.
        """
        lowercase = prefix.strip().lower()
        has_prefix = _ALERTS.c.alert_id.startswith(lowercase, autoescape=True)
        query = (
            select_alerts()
            .where(has_prefix | _ALERTS.c.alert_id.in_(select_merged_into(lowercase)))
            .order_by(_ALERTS.c.alert_id)
            .limit(pages.MAX_LISTED + 1)
        )
        with self._access.reading() as connection:
            rows = connection.execute(query).all()
        pages.require_one_alert(prefix, [row.alert_id for row in rows])
        return alert_of(rows[0])

    def list(
        self, *, undecided: bool = False, deployment: str | None = None, subject: str | None = None
    ) -> Sequence[RecordedAlert]:
        """Return alerts, the latest first.

        Args:
            undecided: Whether to return only undecided alerts.
            deployment: Id of a deployment; None for all.
            subject: Name of a subject; None for all.
        """
        return self._alerts(_select_alerts(undecided, deployment, subject))

    def page(
        self,
        limit: int,
        after: str = "",
        *,
        undecided: bool = False,
        deployment: str | None = None,
        subject: str | None = None,
    ) -> AlertPage:
        """Return one page of `list`.

        Args:
            limit: Largest number of alerts on the page.
            after: `AlertPage.after` of the previous page; empty for the first page.
            undecided: As in `list`.
            deployment: As in `list`.
            subject: As in `list`.

        Raises:
            BadInput: `after` is not from a page.
        """
        query = _select_alerts(undecided, deployment, subject).limit(limit + 1)
        if after:
            last_at, alert_id = pages.parse_cursor(after)
            same_time = sa.and_(_ALERTS.c.last_at == last_at, _ALERTS.c.alert_id > alert_id)
            query = query.where(sa.or_(_ALERTS.c.last_at < last_at, same_time))
        alerts = self._alerts(query)
        has_more = len(alerts) > limit
        last = alerts[limit - 1] if has_more else None
        return AlertPage(tuple(alerts[:limit]), pages.cursor_after(last) if last else "")

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """Return the events of an alert, ordered by captured time."""
        query = (
            sa.select(_EVENTS, _ALERTS.c.deployment, _ALERTS.c.subject, _ALERTS.c.watchlist)
            .join(_ALERTS)
            .where(_EVENTS.c.alert_id == alert_id)
            .order_by(_EVENTS.c.captured_at, _EVENTS.c.event_id)
        )
        with self._access.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """Return the events of one run, ordered by captured time; `epoch` None means all runs."""
        query = (
            sa.select(_EVENTS, _ALERTS.c.deployment, _ALERTS.c.subject, _ALERTS.c.watchlist)
            .join(_ALERTS)
            .where(_ALERTS.c.deployment == deployment)
            .order_by(_EVENTS.c.captured_at, _EVENTS.c.event_id)
        )
        if epoch is not None:
            query = query.where(_EVENTS.c.epoch == epoch)
        with self._access.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def case(self, alert_id: str) -> Case:
        """Read the alert's case: its verdicts and outcomes.

        Args:
            alert_id: Whole id of the alert, not a prefix.
        """
        with self._access.reading() as connection:
            return read_case(connection, alert_id)

    def due_alert_ids(self, now: datetime) -> Sequence[str]:
        """Return the ids of alerts that are due to lapse or to get their final verdict."""
        lapses = sa.and_(
            _ALERTS.c.lapse_at <= now,
            _ALERTS.c.lapsed_at.is_(None),
            _ALERTS.c.closed_at.is_(None),
            sa.not_(_ALERTS.c.recording),
        )
        query = sa.select(_ALERTS.c.alert_id).where(sa.or_(lapses, _ALERTS.c.settle_at <= now))
        has_hidden_deadline = sa.and_(
            _ALERTS.c.alert_id.in_(select_settlements(now)), has_personal_data()
        )
        hidden = sa.select(_ALERTS.c.alert_id).where(has_hidden_deadline)
        with self._access.reading() as connection:
            due = set(connection.scalars(query))
            others = set(connection.scalars(hidden)) - due
            return sorted(due | {each for each in others if must_settle(connection, each, now)})

    def mistaken_alerts_to_erase(self, now: datetime) -> Sequence[RecordedAlert]:
        """Return alerts about the wrong person whose pictures still exist but must be erased.

        These are alerts with the final verdict "do not engage", and refuted alerts after the time
        for a complaint. Their erasure was interrupted, or an event was recorded after the
        erasure.
        """
        query = select_alerts().where(may_be_erased(now), has_personal_data(), ~has_hold(now))
        with self._access.reading() as connection:
            return [
                alert_of(row)
                for row in connection.execute(query).all()
                if must_erase(connection, row.alert_id, row.erase_at, now)
            ]

    def altered_alerts(self) -> Mapping[str, str]:
        """Return the unerased alerts whose deadlines differ from what decisions imply."""
        query = sa.select(_ALERTS.c.alert_id).where(has_personal_data())
        with self._access.reading() as connection:
            return find_alterations(connection, list(connection.scalars(query)))

    def retained_references(self, now: datetime) -> Collection[str]:
        """Return the ids of the entries that sightings of held or sealed alerts name."""
        query = (
            sa.select(_EVENTS.c.reference_id)
            .join(_ALERTS)
            .where(is_retained(now), _EVENTS.c.reference_id != "")
        )
        with self._access.reading() as connection:
            return frozenset(connection.scalars(query))

    def sealed_alert_ids(self) -> Collection[str]:
        """Return the ids of alerts whose pictures are retained only for a possible complaint."""
        query = sa.select(_ALERTS.c.alert_id).where(is_refuted(), _ALERTS.c.erased_at.is_(None))
        with self._access.reading() as connection:
            return frozenset(connection.scalars(query))

    def rejected_events_to_erase(self, now: datetime) -> Sequence[RecordedEvent]:
        """Return rejected sightings of alerts without a hold that are not completely erased."""
        query = (
            sa.select(_EVENTS, _ALERTS.c.deployment, _ALERTS.c.subject, _ALERTS.c.watchlist)
            .join(_ALERTS)
            .where(_EVENTS.c.rejected_at.is_not(None), _EVENTS.c.camera != "", ~has_hold(now))
            .order_by(_EVENTS.c.event_id)
        )
        with self._access.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """Return the holds of an alert, including ended ones, the latest first."""
        query = sa.select(tables.holds).where(tables.holds.c.alert_id == alert_id)
        with self._access.reading() as connection:
            return [
                Hold(
                    row.hold_id,
                    row.alert_id,
                    HoldKind(row.kind),
                    row.placed_at,
                    row.expires_at,
                    row.released_at,
                )
                for row in connection.execute(query.order_by(tables.holds.c.placed_at.desc()))
            ]

    def erasable_alerts(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Return unerased alerts whose last event was emitted before this moment.

        The emission time is compared, since our clock sets it. The captured time comes from the
        source.

        Args:
            moment: Time before which every event of the alert was emitted.
            now: Time at which holds and seals are checked; alerts with either are excluded.
        """
        last = (
            sa.select(sa.func.max(_EVENTS.c.emitted_at))
            .where(_EVENTS.c.alert_id == _ALERTS.c.alert_id)
            .scalar_subquery()
        )
        return self._alerts(
            select_alerts().where(last < moment, has_personal_data(), ~is_retained(now))
        )

    def evidence_names(self) -> set[str]:
        """Return the names of pictures in the vault that events refer to."""
        query = sa.select(_EVENTS.c.evidence).where(_EVENTS.c.evidence.is_not(None))
        with self._access.reading() as connection:
            return set(connection.scalars(query))

    def _alerts(self, query: sa.Select[Any]) -> Sequence[RecordedAlert]:
        with self._access.reading() as connection:
            return [alert_of(row) for row in connection.execute(query)]


def _select_alerts(undecided: bool, deployment: str | None, subject: str | None) -> sa.Select[Any]:
    query = select_alerts().order_by(_ALERTS.c.last_at.desc(), _ALERTS.c.alert_id)
    if undecided:
        query = query.where(_ALERTS.c.adjudication.is_(None), _ALERTS.c.closed_at.is_(None))
    if deployment is not None:
        query = query.where(_ALERTS.c.deployment == deployment)
    if subject is not None:
        query = query.where(_ALERTS.c.subject == subject)
    return query
