"""Which alerts another person looks at a second time: drawn, so that nobody chooses them.

Every *cannot tell*, and a share of all others. The draw is by a keyed hash of the alert's id: who
decides cannot tell which alert is drawn, nor have another drawn by deciding it anew.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from openlfr.domain.adjudication import AlertState
from openlfr.domain.alerts import Adjudication

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.adjudication import Case

PURPOSE: Final = "second looks"
"""For which purpose the vault derives the key of the draw."""
_OF = 1 << 64


def is_drawn(alert_id: str, share: float, key: bytes) -> bool:
    """Whether an alert is one of those of which this share is looked at again.

    Args:
        alert_id: As it is recorded.
        share: 0 to 1; a larger one draws the same alerts and more.
        key: Of `PURPOSE`.
    """
    digest = hmac.digest(key, alert_id.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8]) < share * _OF


def needs_second_look(case: Case, share: float, key: bytes, now: datetime) -> bool:
    """Whether another person is to look at an alert now; its first verdict cannot be undone."""
    first = case.first
    if case.state is not AlertState.DECIDED or first is None or case.second is not None:
        return False
    if now < first.final_at or case.outcome is not None:
        return False
    return first.adjudication is Adjudication.CANNOT_TELL or is_drawn(case.alert_id, share, key)
