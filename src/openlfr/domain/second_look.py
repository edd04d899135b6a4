"""Draws the alerts that need a second look by another person, so that no person selects them.

Every alert decided as *cannot tell* is drawn, and a share of all other decided alerts. The draw
depends on a keyed hash of the alert's id. So an operator can neither foresee which alerts are
drawn, nor change the draw with a new decision.
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
"""The purpose for which the vault derives the key of the draw."""
_DRAW_RANGE = 1 << 64


def is_drawn(alert_id: str, share: float, key: bytes) -> bool:
    """Return whether an alert is drawn for a second look.

    Args:
        alert_id: The recorded id.
        share: Share of alerts to draw, 0 to 1; a larger share draws the same alerts and more.
        key: Key derived for `PURPOSE`.
    """
    digest = hmac.digest(key, alert_id.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8]) < share * _DRAW_RANGE


def needs_second_look(case: Case, share: float, key: bytes, now: datetime) -> bool:
    """Return whether a second look is due now.

    The alert must be decided, its first verdict final, and neither a second look nor an outcome
    recorded. Besides, the verdict must be *cannot tell* or the alert drawn.
    """
    first = case.first_verdict
    if case.state is not AlertState.DECIDED or first is None or case.second_look is not None:
        return False
    if now < first.final_at or case.outcome is not None:
        return False
    return first.adjudication is Adjudication.CANNOT_TELL or is_drawn(case.alert_id, share, key)
