"""Planned passages of control subjects in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.passages import Passage, require_one_plan

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from openlfr.adapters.memory.state import Access
    from openlfr.domain.passages import PassageLog, PassagePlan


class MemoryPassages:
    """The `PassageChanges` port on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def of_deployment(self, deployment_id: str) -> Sequence[Passage]:
        """Return the passages of a deployment ordered by the time of planning."""
        return [each for each in self._all() if each.plan.deployment_id == deployment_id]

    def of_subjects(self, subject_ids: Collection[str]) -> Sequence[Passage]:
        """Return the passages of these subjects."""
        return [each for each in self._all() if each.plan.subject_id in subject_ids]

    def find(self, prefix: str) -> Passage:
        """Return the passage whose plan's id begins with `prefix`."""
        lowercase = prefix.strip().lower()
        matches = [each for each in self._all() if each.plan.plan_id.startswith(lowercase)]
        require_one_plan(prefix, [each.plan.plan_id for each in matches])
        return matches[0]

    def add_plan(self, plan: PassagePlan) -> None:
        """Record a plan."""
        with self._access.writing() as state:
            state.passages[plan.plan_id] = Passage(plan)

    def add_log(self, plan_id: str, log: PassageLog) -> bool:
        """Record a planned walk; return False if the walk is already logged."""
        with self._access.writing() as state:
            passage = state.passages[plan_id]
            if passage.log is not None:
                return False
            state.passages[plan_id] = replace(passage, log=log)
            return True

    def add_findings(self, plan_id: str, cameras: Collection[str], at: datetime) -> None:
        """Record the cameras at which the subject of a logged passage was sighted."""
        with self._access.writing() as state:
            passage = state.passages[plan_id]
            findings = passage.findings | frozenset(cameras)
            state.passages[plan_id] = replace(passage, findings=findings)
            for camera in findings - passage.findings:
                state.recorded_at[plan_id, camera] = at

    def _all(self) -> list[Passage]:
        passages = self._access.reading().passages.values()
        return sorted(passages, key=lambda each: (each.plan.planned_at, each.plan.plan_id))
