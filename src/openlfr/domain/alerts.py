"""Alert events, decisions and outcomes, and the ids of alerts and events."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openlfr.domain.impossible import ImpossibleMatch
    from openlfr.domain.sightings import Sighting

NAMESPACE = uuid.UUID("6f1f3a3e-7c0d-5b61-9a53-0a6f6c667272")  # never changes: ids depend on it

LIFE = timedelta(minutes=3)
"""Default of `alerting.window`: the period after the last sighting of an alert in which the alert
accepts further sightings, and in which a verdict is in time."""


class EventKind(StrEnum):
    """The effect of a sighting on the alert book."""

    OPENED = "opened"
    JOINED = "joined"


class Adjudication(StrEnum):
    """An operator's decision on an alert."""

    ENGAGE = "engage"
    DO_NOT_ENGAGE = "do_not_engage"
    CANNOT_TELL = "cannot_tell"


class Outcome(StrEnum):
    """The outcome of an engagement."""

    CONFIRMED = "confirmed"  # identity confirmed by other means
    REFUTED = "refuted"  # another person than the listed person
    NOT_LOCATED = "not_located"
    NOT_ATTENDED = "not_attended"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One line of the alert stream: a sighting opened an alert or joined one.

    Attributes:
        event_id: UUIDv5 of the sighting's id, so that consumers can deduplicate by it.
        alert_id: UUIDv5 of the opening sighting's id.
        impossible: The conflict with another sighting of the subject; None without a conflict.
    """

    event: EventKind
    event_id: str
    alert_id: str
    sighting: Sighting
    impossible: ImpossibleMatch | None = None


def event_id_of(sighting_id: str) -> str:
    """Return the id of a sighting's event."""
    return str(uuid.uuid5(NAMESPACE, f"event\x1f{sighting_id}"))


def alert_id_of(opening_sighting_id: str) -> str:
    """Return the id of the alert that a sighting opens."""
    return str(uuid.uuid5(NAMESPACE, f"alert\x1f{opening_sighting_id}"))
