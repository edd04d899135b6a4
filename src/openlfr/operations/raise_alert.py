"""Raises an alert from a sighting, in the same order in both modes.

    is it known? -> store its picture -> fold it -> publish the event -> record it

The process may die after each step, and the steps may then be repeated:

- **A sighting that was folded before is skipped**, since its picture may have been erased on
  purpose. Only the call that folded it, if repeated, goes through all steps again.
- **The records are asked too whether it was erased**: a Redis that lost its data no longer knows
  the sighting, and a message that comes again would bring the face back.
- **The picture is stored before the fold**, so that every event in the book has its picture. After
  a crash in between, the sighting comes again (an unacknowledged message, or the frames of a
  resumed run), or the picture is erased as left by a crash.
- **The fold comes before publishing**: it is atomic and stores the event, and it alone decides
  whether an alert is opened or joined. After a crash before publishing, the event is in the book.
- **Publishing comes before recording**: an operator does not wait for the database, and an event
  that is published and not recorded is still in the book, or on the topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.alerts import event_id_of
from openlfr.operations.evidence import evidence_name
from openlfr.operations.fold_sighting import fold_sighting

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.impossible import Movement
    from openlfr.domain.sightings import Sighting
    from openlfr.operations.fold_sighting import AlertDirectory
    from openlfr.ports import AlertBook, Vault

    Announce = Callable[[AlertEvent], None]


@dataclass(frozen=True, slots=True)
class AlertStores:
    """The stores of alerts, and the rules of folding.

    Attributes:
        book: The alert book.
        vault: Store of the evidence.
        directory: The records, which assign events to alerts that are over or lost by the book.
        window: Largest time between sightings of one alert, by captured time.
        movement: Positions of cameras and highest speed, to find impossible sightings.
    """

    book: AlertBook
    vault: Vault
    directory: AlertDirectory
    window: timedelta
    movement: Movement


def raise_alert(
    sighting: Sighting,
    picture: bytes | None,
    stores: AlertStores,
    *,
    publish: Announce,
    record: Announce,
    call: str = "",
) -> AlertEvent | None:
    """Open an alert or join one, and publish the event; None if the sighting is known already.

    Args:
        sighting: The sighting.
        picture: Encoded evidence; empty if it is stored already, None if there is none.
        stores: The stores and rules.
        publish: Publishes the event.
        record: Records the event; does nothing if another process records published events.
        call: Id of the call, the same if a call is repeated (see `AlertBook.fold`).

    Raises:
        Unavailable: A store does not accept it; call this function again.
    """
    if stores.book.has_folded(sighting, call=call):
        return None
    if stores.directory.is_erased(event_id_of(sighting.sighting_id)):
        return None
    if picture:
        stores.vault.put(evidence_name(sighting.sighting_id), picture)
    event = fold_sighting(
        stores.book,
        sighting,
        window=stores.window,
        movement=stores.movement,
        directory=stores.directory,
        call=call,
    )
    if event is not None:
        publish(event)
        record(event)
    return event
