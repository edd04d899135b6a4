"""Finding alerts by what a person types, and going through long lists of them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.alert_records import RecordedAlert

SHOWN = 5
"""Alerts named when a prefix fits several."""


def require_one_alert(prefix: str, alert_ids: Sequence[str]) -> None:
    """Refuse a prefix that does not name one alert.

    Args:
        prefix: As it was typed.
        alert_ids: Of those that begin so, in order; no more than one above `SHOWN` are needed.

    Raises:
        BadInput: None, or several.
    """
    if not prefix.strip() or not alert_ids:
        raise BadInput(f"There is no alert {prefix!r}: `openlfr alerts list` names all.")
    if len(alert_ids) > 1:
        some = ", ".join(alert_ids[:SHOWN])
        more = " ..." if len(alert_ids) > SHOWN else ""
        raise BadInput(f"Several alerts begin with {prefix!r}: {some}{more}")


def cursor_after(alert: RecordedAlert) -> str:
    """Where a list stands behind an alert, as a word that means nothing to others."""
    return urlsafe_b64encode(f"{alert.last_at.isoformat()} {alert.alert_id}".encode()).decode()


def parse_cursor(word: str) -> tuple[datetime, str]:
    """The last captured time and the id of the alert of an `after`.

    Raises:
        BadInput: It is none.
    """
    with suppress(ValueError):
        moment, _, alert_id = urlsafe_b64decode(word.encode()).decode().partition(" ")
        last_at = datetime.fromisoformat(moment)
        if last_at.tzinfo is not None and alert_id:
            return last_at, alert_id
    raise BadInput(f"No list of alerts goes on after {word!r}.")
