"""Alerts, their events and what was decided, in SQL."""

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

    def placed(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """The event under the alert to which it belongs by what is recorded so far."""
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
        """Record an event and bring its alert up to date; an event that is known changes nothing.

        Events of an alert may come in any order, a joining one before the opening one too.

        Args:
            event: As published.
            evidence: Name in the vault; None where there is none.
            emitted_at: UTC.
            window: How near sightings of one alert are; where it belongs to another alert than it
                was published with, it is recorded there (see `merging`).

        Returns:
            Whether the event was new.
        """
        with self._access.writing() as connection:
            return record_event(connection, event, evidence, emitted_at, window)

    def knows(self, event_id: str) -> bool:
        """Whether this event was recorded."""
        with self._access.reading() as connection:
            return connection.scalar(is_known(event_id)) is not None

    def find(self, prefix: str) -> RecordedAlert:
        """The alert whose id begins so, or an id that was merged into it.

        Raises:
            BadInput: No alert, or several.
        """
        begins = prefix.strip().lower()
        named = _ALERTS.c.alert_id.startswith(begins, autoescape=True)
        query = (
            whole_alerts()
            .where(named | _ALERTS.c.alert_id.in_(merged_into(begins)))
            .order_by(_ALERTS.c.alert_id)
            .limit(pages.SHOWN + 1)
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
            undecided: Only those that nobody has decided.
            deployment: Only of this one.
            subject: Only of this one.
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
        """As `list`, so many at a time, however many there are.

        Args:
            limit: How many at most.
            after: Of the page before; empty: from the beginning.
            undecided: As of `list`.
            deployment: As of `list`.
            subject: As of `list`.

        Raises:
            BadInput: No page gave that `after`.
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
        """The events of an alert by captured time."""
        query = (
            sa.select(_EVENTS, _ALERTS.c.deployment, _ALERTS.c.subject, _ALERTS.c.watchlist)
            .join(_ALERTS)
            .where(_EVENTS.c.alert_id == alert_id)
            .order_by(_EVENTS.c.captured_at, _EVENTS.c.event_id)
        )
        with self._access.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """All events of one run, in the order of their captured time; None: of all runs."""
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
        """What people made of an alert.

        Args:
            alert_id: Its whole id.
        """
        with self._access.reading() as connection:
            return read_case(connection, alert_id)

    def waiting(self, now: datetime) -> Sequence[str]:
        """Ids of alerts whose time to lapse, or to be settled, has come."""
        lapses = sa.and_(
            _ALERTS.c.lapse_at <= now,
            _ALERTS.c.lapsed_at.is_(None),
            _ALERTS.c.closed_at.is_(None),
            sa.not_(_ALERTS.c.recording),
        )
        query = sa.select(_ALERTS.c.alert_id).where(sa.or_(lapses, _ALERTS.c.settle_at <= now))
        with self._access.reading() as connection:
            return list(connection.scalars(query.order_by(_ALERTS.c.alert_id)))

    def mistaken(self, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts about the wrong person of which something is still kept, and may be no longer.

        Those that were settled as not to be engaged, and those that were refuted once the time for
        a complaint is over. Erasing them has not been finished, or an event came after it.
        """
        due = _ALERTS.c.erase_at <= now
        return self._alerts(whole_alerts().where(due, _something_kept(), ~held(now)))

    def sealed(self) -> Collection[str]:
        """Ids of alerts whose pictures are kept for a complaint alone, and are not erased."""
        refuted = _ALERTS.c.outcome == str(Outcome.REFUTED)
        query = sa.select(_ALERTS.c.alert_id).where(refuted, _ALERTS.c.erased_at.is_(None))
        with self._access.reading() as connection:
            return frozenset(connection.scalars(query))

    def rejected(self, now: datetime) -> Sequence[RecordedEvent]:
        """Sightings that were taken out of their alert, and of which something is still kept."""
        query = (
            sa.select(_EVENTS, _ALERTS.c.deployment, _ALERTS.c.subject, _ALERTS.c.watchlist)
            .join(_ALERTS)
            .where(_EVENTS.c.rejected_at.is_not(None), _EVENTS.c.camera != "", ~held(now))
            .order_by(_EVENTS.c.event_id)
        )
        with self._access.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """What keeps an alert from being erased, or did; the latest first."""
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

    def older_than(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts whose last event was emitted before this and of which something is still kept.

        By the time of emission, which is ours: a captured time is whatever the source says.

        Args:
            moment: The latest that an event may have been emitted.
            now: Holds that stand then keep their alerts.
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
    """Whether a hold keeps an alert from being erased."""
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
