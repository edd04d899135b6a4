"""Folds a sighting into the alert book, and flags a sighting that cannot be right."""

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
    """The methods of the records that folding needs."""

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """Return the event, assigned to the alert that the recorded events determine."""
        ...

    def is_erased(self, event_id: str) -> bool:
        """Return whether this event is recorded and its data were erased."""
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
    """Add a sighting to an alert or open a new alert, and return the event.

    Returns None if another call has already folded this sighting.

    The flag of an impossible sighting is stored with the event in the same atomic step. So a
    repeated call returns the flag of the first call, even if more sightings were folded since then.

    Args:
        book: The alert book; only one worker at a time folds the sightings of a subject.
        sighting: The sighting.
        window: Largest time between sightings of one alert, by captured time.
        movement: Positions of cameras and highest speed, to find impossible sightings.
        directory: The records, which contain alerts that are over or that the book has lost.
        call: Id of the call; a repeated call has the same id (see `AlertBook.fold`).

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
