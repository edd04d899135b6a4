"""Changes of alerts by acts of people, as parts of a unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.alerts import AlertRecords
from openlfr.adapters.sql.cases import append

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.adjudication import Case

_ALERTS, _EVENTS = tables.alerts, tables.alert_events
_AT_ONCE = 1000  # events named in one statement


class AlertChanges(AlertRecords):
    """Alerts within one transaction."""

    def append(self, before: Case, after: Case, event_id: str) -> None:
        """Record by what two cases differ; the alert's row follows.

        Raises:
            Conflict: The alert has changed since `before` was read.
        """
        with self._access.writing() as connection:
            append(connection, before, after, event_id)

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that the pictures of these events are gone; their positions go in the same step.

        An event that was recorded meanwhile is none of them: what it refers to is still kept.
        What stays is what accounts for the alert: times, cameras, scores, decisions, acts.
        """
        with self._access.writing() as connection:
            for start in range(0, len(event_ids), _AT_ONCE):
                connection.execute(
                    sa.update(_EVENTS)
                    .where(_EVENTS.c.event_id.in_(event_ids[start : start + _AT_ONCE]))
                    .values(evidence=None, x=0.0, y=0.0, w=0.0, h=0.0)
                )
            connection.execute(
                sa.update(_ALERTS).where(_ALERTS.c.alert_id == alert_id).values(erased_at=at)
            )
