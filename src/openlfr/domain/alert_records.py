"""Alerts and their events as records keep them, decisions included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.alerts import Adjudication, AlertEvent, Outcome


@dataclass(frozen=True, slots=True)
class RecordedAlert:
    """One alert and what people made of it.

    Attributes:
        opened_at, last_at: Captured times of its first and last sighting, UTC.
        best_score: Over its sightings, cosine similarity.
        threshold: In force when it opened.
        events: How many sightings it folds.
        impossible: How many of them cannot be right beside another one of the subject.
        adjudication: None while nobody has decided.
        outcome: None while it is unknown.
        decided_at: Of the last decision or outcome, UTC.
        erased_at: When pictures and positions were erased, UTC; None while they are kept.
    """

    alert_id: str
    deployment: str
    subject: str
    watchlist: str
    opened_at: datetime
    last_at: datetime
    best_score: float
    threshold: float
    events: int
    adjudication: Adjudication | None = None
    outcome: Outcome | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    erased_at: datetime | None = None
    impossible: int = 0


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of an alert.

    Attributes:
        event: As it was emitted; its box is (0, 0, 0, 0) once erased.
        emitted_at: UTC.
        evidence: Name in the vault; None if there is none, or it was erased.
    """

    event: AlertEvent
    emitted_at: datetime
    evidence: str | None
