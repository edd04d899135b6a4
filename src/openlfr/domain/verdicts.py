"""Records of the topic verdicts.v1: verdicts, undone verdicts and outcomes."""

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
    """One record; exactly one of `adjudication`, `outcome` and `withdraws` is set.

    Attributes:
        verdict_id: UUID text, the same in repeated publications.
        decided_by: The person's name, or `system` for an automatic settlement.
        decided_at: UTC.
        adjudication: The decision; None in an undo or an outcome.
        outcome: The outcome of the alert. Records before 0.2 may contain a decision as well.
        kind: Role of the verdict; None in an undo, an outcome and records before 0.2.
        reason: Coded reason; None without one.
        withdraws: Id of the undone verdict.
        minutes_stopped: Minutes for which a person was stopped; None if unknown.
        issuer, account: The identity provider, and the person's account at the provider.
        final_at: End of the period in which the verdict can be undone, UTC.
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
    """Return the id of the record that withdraws a verdict."""
    return str(uuid.uuid5(NAMESPACE, f"withdrawal\x1f{verdict_id}"))
