"""From a sighting to an alert that a person decides."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.faces import Box
    from openlfr.domain.impossible import Impossible

NAMESPACE = uuid.UUID("6f1f3a3e-7c0d-5b61-9a53-0a6f6c667272")  # fixed for ever: ids hang on it

LIFE = timedelta(minutes=3)
"""For how long after its last sighting an alert takes in others, and can be decided in time, unless
`alerting.window` says otherwise."""


class EventKind(StrEnum):
    """What a sighting did to the alert book."""

    OPENED = "opened"
    JOINED = "joined"


class Adjudication(StrEnum):
    """What the operator decided on seeing an alert."""

    ENGAGE = "engage"
    DO_NOT_ENGAGE = "do_not_engage"
    CANNOT_TELL = "cannot_tell"


class Outcome(StrEnum):
    """What became of an engagement."""

    CONFIRMED = "confirmed"  # identity confirmed by other means
    REFUTED = "refuted"
    NOT_LOCATED = "not_located"
    NOT_ATTENDED = "not_attended"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A track whose best candidate reached the threshold.

    Attributes:
        sighting_id: UUID text, made by `domain.ids`: a replay gives the same, and nobody can
            compute it who has not the deployment's key.
        deployment: Id of the deployment.
        epoch, seq: Of the frame in which the probe's best face stands.
        captured_at: Of that frame, UTC.
        box: Of that face, source pixels.
        score: Of the track's first search that reached the threshold: an alert waits for no better
            face, so a later search of the same track may reach more. A cosine similarity,
            lowered as `stages.probe` says; it does not depend on who else is listed.
        quality: Of the best face, 0 to 100.
        reference_id: The reference that answered best.
        twice: Whether another track that stood in one frame with this one had given a sighting of
            the same subject before: one of the two is somebody else.
        time_assumed: Whether nothing says when its film was made, so that `captured_at` counts
            from the start of the run.
    """

    sighting_id: str
    deployment: str
    camera: str
    epoch: int
    seq: int
    subject: str
    watchlist: str
    reference_id: str
    captured_at: datetime
    box: Box
    score: float
    threshold: float
    quality: float
    twice: bool = False
    time_assumed: bool = False


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One line of the alert stream: a sighting opened an alert or joined one.

    Attributes:
        event_id: Deterministic: UUIDv5 of the sighting's id. Consumers deduplicate by it.
        alert_id: Deterministic: UUIDv5 of the opening sighting's id.
        impossible: Why the sighting cannot be right beside another of its subject; None where
            nothing speaks against it.
    """

    event: EventKind
    event_id: str
    alert_id: str
    sighting: Sighting
    impossible: Impossible | None = None


def event_id_of(sighting_id: str) -> str:
    """The id of the event that a sighting causes."""
    return str(uuid.uuid5(NAMESPACE, f"event\x1f{sighting_id}"))


def alert_id_of(opening_sighting_id: str) -> str:
    """The id of the alert that a sighting opens."""
    return str(uuid.uuid5(NAMESPACE, f"alert\x1f{opening_sighting_id}"))
