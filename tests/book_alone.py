"""Folding without records: an event belongs where the alert book has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from openlfr.domain.alerts import AlertEvent


class BookAlone:
    """Records that know nothing."""

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """The event as it is."""
        return event

    def is_erased(self, event_id: str) -> bool:
        """No: nothing is recorded."""
        return False


BOOK_ALONE = BookAlone()
