"""Baselines in SQL: rows are added, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.engine import insert_new
from openlfr.adapters.sql.tables import audit_events, baselines
from openlfr.domain.audit_baselines import BaselineOpened
from openlfr.domain.baseline_acts import as_recorded
from openlfr.domain.baseline_openings import Opening
from openlfr.domain.baselines import Baseline, ThresholdUsed
from openlfr.domain.listing import ListState
from openlfr.domain.thresholds import ThresholdOrigin

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.adapters.sql.access import Access


class BaselineRecords:
    """The baselines of one database's deployments."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def openings_of(self, deployment_id: str) -> list[Opening]:
        """The openings of a deployment, by number, each compared with its act in the audit log."""
        mine = baselines.c.deployment == deployment_id
        query = sa.select(baselines).where(mine).order_by(baselines.c.number)
        acts = sa.select(audit_events.c.detail).where(
            audit_events.c.object_kind == BaselineOpened.object_kind,
            audit_events.c.object_id == deployment_id,
            audit_events.c.kind == BaselineOpened.kind,
        )
        with self._access.reading() as connection:
            rows = connection.execute(query).all()  # first: every row read has its act already
            details = {each.get("number"): each for each in connection.scalars(acts)}
        return [
            as_recorded(_opening_of(row), deployment_id, details.get(row.number)) for row in rows
        ]


class BaselineChanges(BaselineRecords):
    """Baselines within one transaction."""

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record an opening; False if its number was used meanwhile."""
        given = sa.select(baselines.c.number).where(
            baselines.c.deployment == opening.baseline.deployment,
            baselines.c.number == opening.number,
        )
        with self._access.writing() as connection:
            if connection.execute(given).first():
                return False  # a trigger of SQLite would refuse the insert as a replacement
            return insert_new(
                connection,
                baselines,
                deployment=opening.baseline.deployment,
                number=opening.number,
                baseline_id=opening.baseline_id,
                opened_at=opening.opened_at,
                why=list(opening.why),
                content=opening.baseline.to_json(),
                recorded_at=at,
            )


def _opening_of(row: Any) -> Opening:
    try:
        content = Baseline.from_json(row.content)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Not written by `Baseline.to_json`. The substitute has another id, which exposes the row.
        nothing = ThresholdUsed(0.0, ThresholdOrigin.DEFAULT, 0)
        content = Baseline(row.deployment, ListState("", 0, None, ()), nothing, (), "", "", "")
    why = tuple(map(str, row.why)) if isinstance(row.why, list) else ()
    return Opening(row.number, row.baseline_id, row.opened_at, why, content)
