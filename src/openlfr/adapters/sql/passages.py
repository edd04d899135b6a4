"""Planned passages in SQL: rows are added, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.engine import insert_new
from openlfr.adapters.sql.tables import passage_findings, passage_logs, passage_plans
from openlfr.domain.passages import (
    MAX_LISTED,
    Passage,
    PassageLog,
    PassagePlan,
    require_one_plan,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from openlfr.adapters.sql.access import Access

_PLANS, _LOGS, _FINDINGS = passage_plans.c, passage_logs.c, passage_findings.c


class PassageRecords:
    """The passages of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def of_deployment(self, deployment_id: str) -> Sequence[Passage]:
        """Return the passages of a deployment ordered by the time of planning."""
        return self._read(_PLANS.deployment == deployment_id)

    def of_subjects(self, subject_ids: Collection[str]) -> Sequence[Passage]:
        """Return the passages of these subjects."""
        return self._read(_PLANS.subject_id.in_(subject_ids))

    def find(self, prefix: str) -> Passage:
        """Return the passage whose plan's id begins with `prefix`.

        Raises:
            BadInput: No passage matches, or several match.
        """
        lowercase = prefix.strip().lower()
        matches = self._read(_PLANS.plan_id.startswith(lowercase, autoescape=True), MAX_LISTED + 1)
        require_one_plan(prefix, [each.plan.plan_id for each in matches])
        return matches[0]

    def _read(
        self, condition: sa.ColumnElement[bool], limit: int | None = None
    ) -> Sequence[Passage]:
        logs = [_LOGS[name].label(f"log_{name}") for name in ("begins", "ends", "cameras")]
        query = (
            sa.select(passage_plans, *logs, _LOGS.logged_at)
            .select_from(passage_plans.outerjoin(passage_logs))
            .where(condition)
            .order_by(_PLANS.planned_at, _PLANS.plan_id)
            .limit(limit)
        )
        found = (
            sa.select(_FINDINGS.plan_id, _FINDINGS.camera)
            .select_from(passage_findings.join(passage_plans))
            .where(condition)
        )
        with self._access.reading() as connection:
            rows = connection.execute(query).all()
            cameras: dict[str, set[str]] = {}
            for plan_id, camera in connection.execute(found):
                cameras.setdefault(plan_id, set()).add(camera)
        return [_passage_of(row, frozenset(cameras.get(row.plan_id, ()))) for row in rows]


class PassageChanges(PassageRecords):
    """Passages within one transaction."""

    def add_plan(self, plan: PassagePlan) -> None:
        """Record a plan."""
        with self._access.writing() as connection:
            connection.execute(
                sa.insert(passage_plans).values(
                    plan_id=plan.plan_id,
                    deployment=plan.deployment_id,
                    subject_id=plan.subject_id,
                    cameras=list(plan.cameras),
                    salt=plan.salt,
                    planned_at=plan.planned_at,
                    commitment=plan.commitment,
                )
            )

    def add_log(self, plan_id: str, log: PassageLog) -> bool:
        """Record a planned walk; return False if the walk is already logged."""
        known = sa.select(_LOGS.plan_id).where(_LOGS.plan_id == plan_id)
        with self._access.writing() as connection:
            if connection.execute(known).first():
                return False  # on SQLite a trigger would refuse the insert as a replacement
            return insert_new(
                connection,
                passage_logs,
                plan_id=plan_id,
                begins=log.begins,
                ends=log.ends,
                cameras=list(log.cameras),
                logged_at=log.logged_at,
            )

    def add_findings(self, plan_id: str, cameras: Collection[str], at: datetime) -> None:
        """Record the cameras at which the subject of a logged passage was sighted."""
        known = sa.select(_FINDINGS.camera).where(_FINDINGS.plan_id == plan_id)
        with self._access.writing() as connection:
            recorded = set(connection.scalars(known))
            for camera in sorted(set(cameras) - recorded):
                values = {"plan_id": plan_id, "camera": camera, "recorded_at": at}
                insert_new(connection, passage_findings, **values)


def _passage_of(row: Any, findings: frozenset[str]) -> Passage:
    log = None
    if row.logged_at is not None:
        log = PassageLog(row.log_begins, row.log_ends, tuple(row.log_cameras), row.logged_at)
    plan = PassagePlan(
        row.plan_id, row.deployment, row.subject_id, tuple(row.cameras), row.salt, row.planned_at,
        row.commitment,
    )  # fmt: skip
    return Passage(plan, log, findings)
