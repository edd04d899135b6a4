"""Fold a sighting into the alert book, flagged where it cannot be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openlfr.domain.impossible import find_impossible

if TYPE_CHECKING:
    from datetime import timedelta

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.impossible import Movement
    from openlfr.domain.sightings import Sighting
    from openlfr.ports import AlertBook


class AlertDirectory(Protocol):
    """The method of the records that folding needs."""

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """Assign the event to its alert, by what is recorded so far."""
        ...

    def is_erased(self, event_id: str) -> bool:
        """Whether this event is recorded and what was kept of it is erased."""
        ...


def fold_sighting(
    book: AlertBook,
    sighting: Sighting,
    *,
    window: timedelta,
    movement: Movement,
    directory: AlertDirectory,
    call: str = "",
) -> AlertEvent | None:
    """Open an alert or join one; None if another call has folded this sighting already.

    What is flagged is stored with the event by the same atomic step, so a repeated call gives the
    flag of the first one, whatever was folded since.

    Args:
        book: Where alerts are kept; one worker at a time folds a subject's sightings.
        sighting: To fold.
        window: How near sightings of one alert are, by captured time.
        movement: By which too far is told.
        directory: The records: they know which alerts are over, and which the book has lost.
        call: The same where a call is repeated (see `AlertBook.fold`).

    Raises:
        Unavailable: The book does not answer.
    """
    flag = find_impossible(sighting, book.nearest_sightings(sighting), movement)
    event = book.fold(sighting, window=window, call=call, impossible=flag)
    if event is None:
        return None
    placed = directory.assign_alert(event, window)
    if placed != event:
        book.move(placed)
    return placed
