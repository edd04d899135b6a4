"""Lookup of alerts by an id prefix, and cursors for long lists of alerts."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.alert_records import RecordedAlert

MAX_LISTED = 5
"""Number of alerts that the error message lists if several alerts have the prefix."""


def require_one_alert(prefix: str, alert_ids: Sequence[str]) -> None:
    """Reject an id prefix that does not identify exactly one alert.

    Args:
        prefix: The prefix as typed.
        alert_ids: Sorted ids with this prefix; `MAX_LISTED` + 1 are enough.

    Raises:
        BadInput: No alert or several alerts have the prefix.
    """
    if not prefix.strip() or not alert_ids:
        raise BadInput(f"There is no alert {prefix!r}: `openlfr alerts list` lists all alerts.")
    if len(alert_ids) > 1:
        some = ", ".join(alert_ids[:MAX_LISTED])
        more = " ..." if len(alert_ids) > MAX_LISTED else ""
        raise BadInput(f"Several alerts begin with {prefix!r}: {some}{more}")


def cursor_after(alert: RecordedAlert) -> str:
    """Return the cursor for the position after an alert, as an opaque text."""
    return urlsafe_b64encode(f"{alert.last_at.isoformat()} {alert.alert_id}".encode()).decode()


def parse_cursor(word: str) -> tuple[datetime, str]:
    """Return the last sighting's capture time, and the id, of the alert in a cursor.

    Raises:
        BadInput: The text is not a cursor.
    """
    with suppress(ValueError):
        moment, _, alert_id = urlsafe_b64decode(word.encode()).decode().partition(" ")
        last_at = datetime.fromisoformat(moment)
        if last_at.tzinfo is not None and alert_id:
            return last_at, alert_id
    raise BadInput(f"{word!r} is not a cursor of a list of alerts.")
