"""Draws the alerts that need a second look by another person, so that nobody chooses them.

Every *cannot tell* is drawn, and a share of all other decisions. A keyed hash of the alert's id
decides. So an operator cannot foresee which alerts are drawn, nor change it by deciding again.
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
_OF = 1 << 64


def is_drawn(alert_id: str, share: float, key: bytes) -> bool:
    """Return whether an alert is drawn for a second look.

    Args:
        alert_id: The recorded id.
        share: Share of alerts to draw, 0 to 1; a larger one draws the same alerts and more.
        key: Key derived for `PURPOSE`.
    """
    digest = hmac.digest(key, alert_id.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8]) < share * _OF


def needs_second_look(case: Case, share: float, key: bytes, now: datetime) -> bool:
    """Return whether a second look is due now, which needs a first verdict that is final."""
    first = case.first_verdict
    if case.state is not AlertState.DECIDED or first is None or case.second_look is not None:
        return False
    if now < first.final_at or case.outcome is not None:
        return False
    return first.adjudication is Adjudication.CANNOT_TELL or is_drawn(case.alert_id, share, key)
