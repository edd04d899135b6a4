"""Folding without records: the alert book alone assigns an event to an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from openlfr.domain.alerts import AlertEvent


class BookAlone:
    """Records that contain nothing."""

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """Return the event unchanged."""
        return event

    def is_erased(self, event_id: str) -> bool:
        """Return False, since nothing is recorded."""
        return False


BOOK_ALONE = BookAlone()
