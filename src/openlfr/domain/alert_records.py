"""Alerts, their events and holds, as the records return them."""

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
    """A recorded alert with its decision and outcome.

    Attributes:
        opened_at, last_at: Capture times of its first and last sighting, UTC.
        best_score: Best cosine similarity of its sightings.
        threshold: The threshold when the alert opened.
        events: Number of its sightings.
        impossible: Number of its sightings that are flagged as impossible matches.
        adjudication: The decision; None while there is none.
        outcome: None while it is unknown.
        decided_at: Time of the last decision or outcome, UTC.
        state, version: See `domain.adjudication.Case`.
        lapse_at: Time from which a verdict is late, UTC; None for an alert of a recording.
        lapsed_at: When the alert stopped accepting sightings, UTC; None while it accepts them.
        settle_at: When its verdict is settled automatically, UTC; None where none is to be settled.
        closed_at: Since when neither a verdict nor an outcome is due, UTC.
        erase_at: When its pictures must be erased, UTC; None where the retention alone decides.
        erased_at: When the erasure of its pictures and positions began or ended, UTC; None while
            they are kept.
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
        """The subject's name as text for a person."""
        return self.subject or "somebody (erased)"


class HoldKind(StrEnum):
    """The reason of a hold."""

    COMPLAINT = "complaint"
    DISCLOSURE = "disclosure"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: its alert is not erased until the hold expires or is released.

    Attributes:
        hold_id: UUID text.
        placed_at, expires_at: UTC.
        released_at: UTC; None where it was not released.
    """

    hold_id: str
    alert_id: str
    kind: HoldKind
    placed_at: datetime
    expires_at: datetime
    released_at: datetime | None = None

    def is_active(self, at: datetime) -> bool:
        """Whether the hold protects its alert at a time."""
        return self.released_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A page of a list of alerts, the latest first.

    Attributes:
        after: Cursor of the next page; empty on the last page.
    """

    alerts: tuple[RecordedAlert, ...]
    after: str


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of an alert.

    Attributes:
        event: The event as published. After erasure its box is (0, 0, 0, 0), and nothing links the
            subject with place and time: the alert's subject is erased, or the camera where this
            sighting alone was rejected.
        emitted_at: UTC.
        evidence: Name of the evidence in the vault; None without evidence or after erasure.
        rejected_at: When a person found that the sighting shows another person than the alert's
            other sightings, UTC.
    """

    event: AlertEvent
    emitted_at: datetime
    evidence: str | None
    rejected_at: datetime | None = None
