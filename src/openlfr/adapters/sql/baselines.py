"""Baselines in SQL: added once each, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.engine import insert_new
from openlfr.adapters.sql.tables import baselines
from openlfr.domain.baselines import Baseline, Opening

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.adapters.sql.access import Access


class BaselineRecords:
    """The baselines of one database's deployments."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def of(self, deployment_id: str) -> list[Opening]:
        """Those of a deployment, by number."""
        mine = baselines.c.deployment == deployment_id
        query = sa.select(baselines).where(mine).order_by(baselines.c.number)
        with self._access.reading() as connection:
            return [_opening_of(row) for row in connection.execute(query)]


class BaselineChanges(BaselineRecords):
    """Baselines within one transaction."""

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record that one opened; False where its number has been given meanwhile."""
        with self._access.writing() as connection:
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
    return Opening(
        row.number, row.baseline_id, row.opened_at, tuple(row.why), Baseline.from_json(row.content)
    )
