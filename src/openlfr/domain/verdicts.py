"""A verdict: what a person decided about an alert, or what became of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.alerts import NAMESPACE

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.alerts import Adjudication, Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, an outcome or both.

    Attributes:
        decided_by: The person's name.
        decided_at: UTC.
        adjudication: None leaves it as it was.
        outcome: None leaves it as it was; not both are None.
    """

    deployment: str
    alert_id: str
    decided_by: str
    decided_at: datetime
    adjudication: Adjudication | None = None
    outcome: Outcome | None = None

    @property
    def verdict_id(self) -> str:
        """UUIDv5 of everything but the deployment: a replay gives the same id."""
        at = self.decided_at.timestamp()
        said = (self.adjudication or "", self.outcome or "")
        text = "\x1f".join(map(str, (self.alert_id, self.decided_by, f"{at:.6f}", *said)))
        return str(uuid.uuid5(NAMESPACE, f"verdict\x1f{text}"))
