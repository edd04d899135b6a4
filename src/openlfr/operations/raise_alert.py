"""From a sighting to an alert that somebody is told of: one order, in both modes.

    is it known? -> keep its picture -> fold it -> publish the event -> record it

Each step may be the last one before the process dies, and may be done again after it:

- **A sighting that was folded before is left alone**, since its picture may have been erased on
  purpose. The call that folded it is another matter: repeated, it goes through all steps again.
- **The picture comes before the fold**, so that every event in the book has its picture, whoever
  finds it there. A picture whose sighting was not folded is nobody's: the sighting comes again (a
  message that was not acknowledged, the frames of a resumed run), or the picture is erased with
  what a crash left.
- **The fold comes before publishing**: it is atomic and stores the event, which alone decides
  whether an alert is opened or joined. Who was killed before publishing finds the event there.
- **Publishing comes before recording**: an operator waits for no database, and what is published
  and not recorded is in the book still, or on the topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """Where alerts are kept, and by which rules they are folded.

    Attributes:
        directory: The records: they know which alerts are over, and which the book has lost.
        window: How near sightings of one alert are, by captured time.
        movement: By which too far is told.
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
    """Open an alert or join one, and tell of it; None if the sighting is known already.

    Args:
        sighting: To raise.
        picture: Evidence as it is kept; empty where it is kept already, None where there is none.
        stores: Where to.
        publish: Tells whoever decides.
        record: Writes it into the records; does nothing where somebody else reads what is
            published and records it.
        call: The same where a call is repeated (see `AlertBook.fold`).

    Raises:
        Unavailable: A store does not take it; to be called again.
    """
    if stores.book.knows(sighting, call=call):
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
