"""Changes of alerts, as parts of a unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.act_words import erase_names, erase_words
from openlfr.adapters.sql.alerts import AlertRecords
from openlfr.adapters.sql.cases import append_changes, read_case
from openlfr.adapters.sql.due_alerts import is_retained

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import Hold, NameErasures

_ALERTS, _EVENTS = tables.alerts, tables.alert_events
_MAX_PER_STATEMENT = 1000  # alerts or events


class AlertChanges(AlertRecords):
    """Alerts within one transaction."""

    def case(self, alert_id: str) -> Case:
        """Read the alert's case; the alert's row is locked until the transaction ends."""
        with self._access.writing() as connection:
            query = sa.select(_ALERTS.c.alert_id).where(_ALERTS.c.alert_id == alert_id)
            connection.execute(query.with_for_update())
            return read_case(connection, alert_id)

    def append_changes(self, before: Case, after: Case, event_id: str) -> None:
        """Record the differences between two cases, and update the alert's row.

        Raises:
            Conflict: The alert has changed since `before` was read.
        """
        with self._access.writing() as connection:
            append_changes(connection, before, after, event_id)

    def reject(self, alert_id: str, event_id: str, at: datetime) -> None:
        """Remove a sighting that shows another person than the alert's other sightings."""
        remaining = sa.and_(_EVENTS.c.alert_id == alert_id, _EVENTS.c.rejected_at.is_(None))
        first, last = sa.func.min(_EVENTS.c.captured_at), sa.func.max(_EVENTS.c.captured_at)
        totals = sa.select(sa.func.count(), first, last, sa.func.max(_EVENTS.c.score))
        with self._access.writing() as connection:
            connection.execute(
                sa.update(_EVENTS).where(_EVENTS.c.event_id == event_id).values(rejected_at=at)
            )
            number, opened_at, last_at, best = connection.execute(totals.where(remaining)).one()
            connection.execute(
                sa.update(_ALERTS)
                .where(_ALERTS.c.alert_id == alert_id)
                .values(
                    events=number,
                    opened_at=opened_at,
                    last_at=last_at,
                    best_score=best,
                    version=_ALERTS.c.version + 1,
                )
            )

    def begin_erasing(self, alert_ids: Sequence[str], at: datetime) -> set[str]:
        """Mark alerts before their erasure, so that no hold is placed; return the marked ids.

        Alerts with a hold are not marked, nor sealed alerts before the end of their seal. A hold
        and an outcome lock the same row, so that they never overlap with a mark.
        """
        marked: set[str] = set()
        with self._access.writing() as connection:
            for start in range(0, len(alert_ids), _MAX_PER_STATEMENT):
                chosen = _ALERTS.c.alert_id.in_(alert_ids[start : start + _MAX_PER_STATEMENT])
                query = sa.select(_ALERTS.c.alert_id).where(chosen).order_by(_ALERTS.c.alert_id)
                connection.execute(query.with_for_update())
                erasable = set(connection.scalars(query.where(~is_retained(at))))
                unmarked = sa.and_(_ALERTS.c.alert_id.in_(erasable), _ALERTS.c.erased_at.is_(None))
                connection.execute(sa.update(_ALERTS).where(unmarked).values(erased_at=at))
                marked |= erasable
        return marked

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that the pictures of these events are erased, and erase the alert's personal data.

        The positions of the faces, the alert's subject and people's notes are erased. Afterwards no
        row connects a subject with a camera and a time. Times, cameras, scores, decisions and their
        authors remain, to account for the alert. Events recorded since `event_ids` was read are
        unchanged, since their pictures still exist.
        """
        with self._access.writing() as connection:
            self._blank(connection, event_ids, reference_id="")
            erase_words(connection, [alert_id])
            connection.execute(
                sa.update(_ALERTS)
                .where(_ALERTS.c.alert_id == alert_id)
                .values(subject="", erased_at=at)
            )

    def mark_rejected_erased(self, event_ids: Sequence[str]) -> None:
        """Record that the pictures of rejected sightings are erased.

        The alert's subject remains, so the sightings' cameras and flags are erased.
        """
        with self._access.writing() as connection:
            self._blank(
                connection, event_ids, reference_id="", camera="", epoch=0, seq=0, impossible=None
            )

    def erase_names(self, before: datetime, now: datetime) -> NameErasures:
        """Erase names in acts before this moment, except on held and sealed alerts.

        Return the number of acts whose names were erased, and of acts that were retained.
        """
        retained_alerts = sa.select(_ALERTS.c.alert_id).where(is_retained(now))
        with self._access.writing() as connection:
            return erase_names(connection, before, retained_alerts)

    def place_hold(self, hold: Hold) -> None:
        """Record a legal hold, which prevents the erasure of its alert."""
        with self._access.writing() as connection:
            connection.execute(
                sa.insert(tables.holds).values(
                    hold_id=hold.hold_id,
                    alert_id=hold.alert_id,
                    kind=str(hold.kind),
                    placed_at=hold.placed_at,
                    expires_at=hold.expires_at,
                )
            )

    def release_hold(self, hold_id: str, at: datetime) -> None:
        """Record the end of a hold."""
        with self._access.writing() as connection:
            chosen = tables.holds.c.hold_id == hold_id
            connection.execute(sa.update(tables.holds).where(chosen).values(released_at=at))

    def _blank(
        self, connection: Connection, event_ids: Sequence[str], **more: str | int | None
    ) -> None:
        for start in range(0, len(event_ids), _MAX_PER_STATEMENT):
            connection.execute(
                sa.update(_EVENTS)
                .where(_EVENTS.c.event_id.in_(event_ids[start : start + _MAX_PER_STATEMENT]))
                .values(evidence=None, x=0.0, y=0.0, w=0.0, h=0.0, **more)
            )
