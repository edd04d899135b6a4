"""Alerts and their events as records keep them, decisions included."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.adjudication import AlertState

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
        state, version: As of `domain.adjudication.Case`.
        lapse_at: From when nobody decides it in time, UTC; None for one of a recording.
        lapsed_at: Since when it takes in no sighting; None while it does.
        settle_at: When its verdict is settled if nobody does it before; None where none waits.
        closed_at: Since when it owes nothing.
        erase_at: From when its pictures may not be kept; None: the retention alone says it.
        erased_at: When the erasing of pictures and positions began or ended, UTC; None while they
            are kept.
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
    erased_at: datetime | None = None
    impossible: int = 0
    state: AlertState = AlertState.OPEN
    version: int = 1
    lapse_at: datetime | None = None
    lapsed_at: datetime | None = None
    settle_at: datetime | None = None
    closed_at: datetime | None = None
    erase_at: datetime | None = None

    @property
    def about(self) -> str:
        """Whom it is about, for a person."""
        return self.subject or "somebody (erased)"


class HoldKind(StrEnum):
    """Why something is kept that would be erased."""

    COMPLAINT = "complaint"
    DISCLOSURE = "disclosure"


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps an alert from being erased, until it expires or is released.

    Attributes:
        hold_id: UUID text.
        placed_at, expires_at, released_at: UTC; None: it was not released.
    """

    hold_id: str
    alert_id: str
    kind: HoldKind
    placed_at: datetime
    expires_at: datetime
    released_at: datetime | None = None

    def is_active(self, at: datetime) -> bool:
        """Whether it keeps the alert at this moment."""
        return self.released_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some of the alerts that were asked for, the latest first.

    Attributes:
        after: What to ask for the next ones with; empty where there are none.
    """

    alerts: tuple[RecordedAlert, ...]
    after: str


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of an alert.

    Attributes:
        event: As it was emitted; its box is (0, 0, 0, 0) once erased, and what links the subject
            with place and time is gone: the alert's subject, or the camera where this sighting
            alone was rejected.
        emitted_at: UTC.
        evidence: Name in the vault; None if there is none, or it was erased.
        rejected_at: When somebody found that it shows another person than the alert's others.
    """

    event: AlertEvent
    emitted_at: datetime
    evidence: str | None
    rejected_at: datetime | None = None
