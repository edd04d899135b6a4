"""Ports of the records of planned passages of control subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from openlfr.domain.passages import Passage, PassageLog, PassagePlan


class PassageRecords(Protocol):
    """Planned passages with their logs, to read."""

    def of_deployment(self, deployment_id: str) -> Sequence[Passage]:
        """Return the passages of a deployment ordered by the time of planning."""
        ...

    def of_subjects(self, subject_ids: Collection[str]) -> Sequence[Passage]:
        """Return the passages whose `PassagePlan.subject_id` is one of these ids."""
        ...

    def find(self, prefix: str) -> Passage:
        """Return the passage whose plan's id begins with `prefix`.

        Raises:
            BadInput: No passage matches, or several match.
        """
        ...


class PassageChanges(PassageRecords, Protocol):
    """Changes of passages, in one transaction. Rows are added and never changed."""

    def add_plan(self, plan: PassagePlan) -> None:
        """Record a plan."""
        ...

    def add_log(self, plan_id: str, log: PassageLog) -> bool:
        """Record that a planned walk took place; return False if the walk is already logged."""
        ...

    def add_findings(self, plan_id: str, cameras: Collection[str], at: datetime) -> None:
        """Record the cameras at which the subject of a logged passage was sighted."""
        ...
