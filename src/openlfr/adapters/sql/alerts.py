"""Alerts, their events and decisions in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.alert_recording import is_known, record_event
from openlfr.adapters.sql.alert_rows import alert_of, event_of, whole_alerts
from openlfr.adapters.sql.cases import read_case
from openlfr.adapters.sql.merging import merged_into, placed
from openlfr.domain import pages
from openlfr.domain.alert_records import AlertPage, Hold, HoldKind
from openlfr.domain.alerts import LIFE, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
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
        """The event with the id of its alert, by the events recorded so far."""
        with self._access.reading() as connection:
            return placed(connection, event, window, writes=False)

    def record(
        self,
        event: AlertEvent,
        evidence: str | None,
        *,
        emitted_at: datetime,
        window: timedelta = LIFE,
    ) -> bool:
        """Record an event and update its alert; a known event changes nothing.

        Events of an alert may come in any order, also a joining event before the opening one.

        Args:
            event: The event as published.
            evidence: Name in the vault; None without evidence.
            emitted_at: Time of emission, UTC.
            window: Longest time between sightings of one alert. An event that belongs to another
                alert than it was published with is recorded there (see `merging`).

        Returns:
            Whether the event was new.
        """
        with self._access.writing() as connection:
            return record_event(connection, event, evidence, emitted_at, window)

    def is_recorded(self, event_id: str) -> bool:
        """Whether this event was recorded."""
        with self._access.reading() as connection:
            return connection.scalar(is_known(event_id)) is not None

    def is_erased(self, event_id: str) -> bool:
        """Whether this event is recorded and what was kept of it is erased."""
        kept = sa.or_(_EVENTS.c.evidence.is_not(None), _EVENTS.c.w > 0)
        with self._access.reading() as connection:
            return connection.scalar(is_known(event_id).where(~kept)) is not None

    def find(self, prefix: str) -> RecordedAlert:
        """The alert whose id has this prefix, or an id that was merged into it.

        Raises:
            BadInput: No alert has this prefix, or several have.
        """
        begins = prefix.strip().lower()
        named = _ALERTS.c.alert_id.startswith(begins, autoescape=True)
        query = (
            whole_alerts()
            .where(named | _ALERTS.c.alert_id.in_(merged_into(begins)))
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
        """Alerts, the latest first.

        Args:
            undecided: Whether to return only alerts that nobody has decided.
            deployment: Id of a deployment; None for all.
            subject: Name of a subject; None for all.
        """
        return self._alerts(_listed(undecided, deployment, subject))

    def page(
        self,
        limit: int,
        after: str = "",
        *,
        undecided: bool = False,
        deployment: str | None = None,
        subject: str | None = None,
    ) -> AlertPage:
        """One page of `list`.

        Args:
            limit: Largest number of alerts on the page.
            after: `AlertPage.after` of the page before; empty for the first page.
            undecided: As in `list`.
            deployment: As in `list`.
            subject: As in `list`.

        Raises:
            BadInput: `after` is of no page.
        """
        query = _listed(undecided, deployment, subject).limit(limit + 1)
        if after:
            last_at, alert_id = pages.parse_cursor(after)
            same = sa.and_(_ALERTS.c.last_at == last_at, _ALERTS.c.alert_id > alert_id)
            query = query.where(sa.or_(_ALERTS.c.last_at < last_at, same))
        found = self._alerts(query)
        more = len(found) > limit
        last = found[limit - 1] if more else None
        return AlertPage(tuple(found[:limit]), pages.cursor_after(last) if last else "")

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """The events of an alert, ordered by captured time."""
        query = (
            sa.select(_EVENTS, _ALERTS.c.deployment, _ALERTS.c.subject, _ALERTS.c.watchlist)
            .join(_ALERTS)
            .where(_EVENTS.c.alert_id == alert_id)
            .order_by(_EVENTS.c.captured_at, _EVENTS.c.event_id)
        )
        with self._access.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """The events of one run, ordered by captured time; of all runs if `epoch` is None."""
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
        """The alert's case: its verdicts and outcomes.

        Args:
            alert_id: The whole id of the alert.
        """
        with self._access.reading() as connection:
            return read_case(connection, alert_id)

    def due_alert_ids(self, now: datetime) -> Sequence[str]:
        """Ids of alerts that are due to lapse or to be settled."""
        lapses = sa.and_(
            _ALERTS.c.lapse_at <= now,
            _ALERTS.c.lapsed_at.is_(None),
            _ALERTS.c.closed_at.is_(None),
            sa.not_(_ALERTS.c.recording),
        )
        query = sa.select(_ALERTS.c.alert_id).where(sa.or_(lapses, _ALERTS.c.settle_at <= now))
        with self._access.reading() as connection:
            return list(connection.scalars(query.order_by(_ALERTS.c.alert_id)))

    def mistaken_alerts_to_erase(self, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts about the wrong person whose pictures exist but must be erased.

        These are alerts settled as not to be engaged, and refuted alerts after the time for a
        complaint. Their erasure was not finished, or an event came after it.
        """
        due = _ALERTS.c.erase_at <= now
        return self._alerts(whole_alerts().where(due, _something_kept(), ~held(now)))

    def sealed_alert_ids(self) -> Collection[str]:
        """Ids of alerts whose pictures exist only because of a possible complaint."""
        refuted = _ALERTS.c.outcome == str(Outcome.REFUTED)
        query = sa.select(_ALERTS.c.alert_id).where(refuted, _ALERTS.c.erased_at.is_(None))
        with self._access.reading() as connection:
            return frozenset(connection.scalars(query))

    def rejected_events_to_erase(self, now: datetime) -> Sequence[RecordedEvent]:
        """Sightings rejected from their alert whose pictures or cameras are not erased yet."""
        query = (
            sa.select(_EVENTS, _ALERTS.c.deployment, _ALERTS.c.subject, _ALERTS.c.watchlist)
            .join(_ALERTS)
            .where(_EVENTS.c.rejected_at.is_not(None), _EVENTS.c.camera != "", ~held(now))
            .order_by(_EVENTS.c.event_id)
        )
        with self._access.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """The holds of an alert, ended ones included, the latest first."""
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
        """Alerts that are not erased yet and whose last event was emitted before this moment.

        Compared by the time of emission, which is ours; a captured time comes from the source.

        Args:
            moment: Time before which every event of the alert was emitted.
            now: Time at which an alert's holds are checked; alerts with a hold are left out.
        """
        last = (
            sa.select(sa.func.max(_EVENTS.c.emitted_at))
            .where(_EVENTS.c.alert_id == _ALERTS.c.alert_id)
            .scalar_subquery()
        )
        return self._alerts(whole_alerts().where(last < moment, _something_kept(), ~held(now)))

    def evidence_names(self) -> set[str]:
        """Names in the vault that an event refers to."""
        query = sa.select(_EVENTS.c.evidence).where(_EVENTS.c.evidence.is_not(None))
        with self._access.reading() as connection:
            return set(connection.scalars(query))

    def _alerts(self, query: sa.Select[Any]) -> Sequence[RecordedAlert]:
        with self._access.reading() as connection:
            return [alert_of(row) for row in connection.execute(query)]


def _listed(undecided: bool, deployment: str | None, subject: str | None) -> sa.Select[Any]:
    query = whole_alerts().order_by(_ALERTS.c.last_at.desc(), _ALERTS.c.alert_id)
    if undecided:
        query = query.where(_ALERTS.c.adjudication.is_(None), _ALERTS.c.closed_at.is_(None))
    if deployment is not None:
        query = query.where(_ALERTS.c.deployment == deployment)
    if subject is not None:
        query = query.where(_ALERTS.c.subject == subject)
    return query


def held(now: datetime) -> sa.ColumnElement[bool]:
    """A condition: a hold keeps the alert from being erased."""
    holds = tables.holds
    return sa.exists().where(
        holds.c.alert_id == _ALERTS.c.alert_id,
        holds.c.released_at.is_(None),
        holds.c.expires_at > now,
    )


def _something_kept() -> sa.ColumnElement[bool]:
    kept = sa.exists().where(
        _EVENTS.c.alert_id == _ALERTS.c.alert_id,
        sa.or_(_EVENTS.c.evidence.is_not(None), _EVENTS.c.w > 0),
    )
    return sa.or_(_ALERTS.c.erased_at.is_(None), kept)
