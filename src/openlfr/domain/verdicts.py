"""What verdicts.v1 says: a verdict, its undo, or what became of an alert."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.alerts import NAMESPACE

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.adjudication import Reason, VerdictKind
    from openlfr.domain.alerts import Adjudication, Outcome


@dataclass(frozen=True, slots=True)
class VerdictEvent:
    """One record. Exactly one of `adjudication`, `outcome` and `withdraws` is what happened.

    Attributes:
        verdict_id: UUID text, the same each time that it is published.
        decided_by: The person's name, or `system` where the time settled it.
        decided_at: UTC.
        adjudication: What was decided; None in an undo, and where only an outcome is told.
        outcome: What became of it. Records of before 0.2 may have both.
        kind: In which role it was given; None in an undo, an outcome and records of before 0.2.
        reason: Why, as it is counted.
        withdraws: Which verdict does not stand any more.
        minutes_stopped: How long somebody was stopped.
        issuer, account: Who vouches for the person, and as whom.
        final_at: Until when the verdict can be undone, UTC.
    """

    verdict_id: str
    deployment: str
    alert_id: str
    decided_by: str
    decided_at: datetime
    adjudication: Adjudication | None = None
    outcome: Outcome | None = None
    kind: VerdictKind | None = None
    reason: Reason | None = None
    withdraws: str = ""
    minutes_stopped: int | None = None
    issuer: str = ""
    account: str = ""
    final_at: datetime | None = None


def withdrawal_id_of(verdict_id: str) -> str:
    """The id of the record that says that a verdict was undone."""
    return str(uuid.uuid5(NAMESPACE, f"withdrawal\x1f{verdict_id}"))
