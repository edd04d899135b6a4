"""Fold a sighting into the alert book, flagged where it cannot be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.impossible import impossible

if TYPE_CHECKING:
    from datetime import timedelta

    from openlfr.domain.alerts import AlertEvent, Sighting
    from openlfr.domain.impossible import Movement
    from openlfr.ports import AlertBook


def fold_sighting(
    book: AlertBook,
    sighting: Sighting,
    *,
    window: timedelta,
    movement: Movement,
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
        call: The same where a call is repeated (see `AlertBook.fold`).

    Raises:
        Unavailable: The book does not answer.
    """
    flag = impossible(sighting, book.near(sighting), movement)
    return book.fold(sighting, window=window, call=call, impossible=flag)
