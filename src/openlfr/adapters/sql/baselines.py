"""Baselines in SQL: rows are added, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.engine import insert_new
from openlfr.adapters.sql.tables import audit_events, baselines
from openlfr.domain.audit_baselines import BaselineOpened
from openlfr.domain.baseline_acts import with_alteration
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
        """Return the openings of a deployment, by number; each is compared with its audited act."""
        in_deployment = baselines.c.deployment == deployment_id
        query = sa.select(baselines).where(in_deployment).order_by(baselines.c.number)
        acts = sa.select(audit_events.c.detail).where(
            audit_events.c.object_kind == BaselineOpened.object_kind,
            audit_events.c.object_id == deployment_id,
            audit_events.c.kind == BaselineOpened.kind,
        )
        with self._access.reading() as connection:
            # Rows are read before acts, since an act is never committed after its row.
            rows = connection.execute(query).all()
            details = {each.get("number"): each for each in connection.scalars(acts)}
        return [
            with_alteration(_opening_of(row), deployment_id, details.get(row.number))
            for row in rows
        ]


class BaselineChanges(BaselineRecords):
    """Baselines within one transaction."""

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record an opening; return False if its number is already in use."""
        same_number = sa.select(baselines.c.number).where(
            baselines.c.deployment == opening.baseline.deployment,
            baselines.c.number == opening.number,
        )
        with self._access.writing() as connection:
            if connection.execute(same_number).first():
                return False  # on SQLite a trigger would refuse the insert as a replacement
            return insert_new(
                connection,
                baselines,
                deployment=opening.baseline.deployment,
                number=opening.number,
                baseline_id=opening.baseline_id,
                opened_at=opening.opened_at,
                why=list(opening.changes),
                content=opening.baseline.to_json(),
                recorded_at=at,
            )


def _opening_of(row: Any) -> Opening:
    try:
        content = Baseline.from_json(row.content)
    except (AttributeError, KeyError, TypeError, ValueError):
        # The row was altered: `Baseline.to_json` did not write this content. The substitute has
        # another id, so that the alteration is reported.
        threshold = ThresholdUsed(0.0, ThresholdOrigin.DEFAULT, 0)
        content = Baseline(row.deployment, ListState("", 0, None, ()), threshold, (), "", "", "")
    why = tuple(map(str, row.why)) if isinstance(row.why, list) else ()
    return Opening(row.number, row.baseline_id, row.opened_at, why, content)
