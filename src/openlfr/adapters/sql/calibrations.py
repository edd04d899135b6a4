"""Calibrations in SQL: rows are added, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.tables import audit_events, calibrations
from openlfr.domain.audit_calibrations import CalibrationMade
from openlfr.domain.calibrations import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.adapters.sql.access import Access


class CalibrationRecords:
    """The calibrations of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self) -> Sequence[Calibration]:
        """Return all unaltered calibrations, the newest first."""
        query = sa.select(calibrations).order_by(
            calibrations.c.made_at.desc(), calibrations.c.calibration_id
        )
        acts = sa.select(audit_events.c.object_id).where(
            audit_events.c.object_kind == CalibrationMade.object_kind,
            audit_events.c.kind == CalibrationMade.kind,
        )
        with self._access.reading() as connection:
            rows = connection.execute(query).all()
            confirmed = set(connection.scalars(acts))
        unaltered = []
        for row in rows:
            try:
                content = Calibration.from_json(row.content)
                is_unaltered = content.calibration_id == row.calibration_id
            except (AttributeError, KeyError, TypeError, ValueError):
                continue  # `Calibration.to_json` did not write this content
            if is_unaltered and row.calibration_id in confirmed:
                unaltered.append(content)
        return unaltered


class CalibrationChanges(CalibrationRecords):
    """Calibrations within one transaction."""

    def add(self, calibration: Calibration) -> None:
        """Record a calibration; its act must be recorded in the same transaction."""
        with self._access.writing() as connection:
            connection.execute(
                sa.insert(calibrations).values(
                    calibration_id=calibration.calibration_id,
                    made_at=calibration.made_at,
                    target_fpir=calibration.target_fpir,
                    content=calibration.to_json(),
                )
            )
