"""Raises an alert from a sighting; the order of steps is the same in a run and in a city.

    skip a known sighting -> store its picture -> fold it -> publish the event -> record the event

The process may die after each step, and the steps may then be repeated:

- **A sighting that was folded before is skipped**, since its picture may have been erased on
  purpose. Only a repetition of the call that folded the sighting runs all steps again.
- **A sighting whose erasure is recorded is skipped too.** If Redis has lost its data, the alert
  book does not contain the sighting, and a repeated message would restore the erased face.
- **The picture is stored before the fold**, so that every event in the book has its picture. After
  a crash in between, the sighting arrives again (as an unacknowledged message, or with the frames
  of a resumed run); else the picture is erased later as left by a crash.
- **The fold precedes publishing.** The fold is atomic, stores the event, and decides whether an
  alert is opened or joined. After a crash before publishing, the event is in the book.
- **Publishing precedes recording**, so that an operator does not wait for the database. A published
  event that is not recorded is still in the book or on the topic.
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
        directory: The records, which contain alerts that are over or that the book has lost.
        window: A sighting joins an alert that has another sighting at most this time earlier or
            later, by capture time.
        movement: Positions of cameras and highest speed, to detect impossible sightings.
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
    """Open an alert or join one, and publish and record the event.

    Args:
        sighting: The sighting.
        picture: Encoded evidence; empty if the evidence is already stored, None without evidence.
        stores: The stores and rules.
        publish: Publishes the event.
        record: Records the event; does nothing if another process records published events.
        call: Id of the call; a repeated call has the same id (see `AlertBook.fold`).

    Returns:
        The event; None if another call has folded the sighting, or if the sighting was erased.

    Raises:
        Unavailable: A store does not answer; call this function again.
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
