"""Recorded alerts, their events and holds."""

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
        opened_at, last_at: Capture times of the alert's first and last sighting, UTC.
        best_score: Best score of the alert's sightings.
        threshold: The threshold when the alert opened.
        events: Number of sightings. This number, both times and the best score leave out rejected
            sightings.
        impossible: Number of sightings that are flagged as impossible matches.
        adjudication: The decision; None before a decision.
        outcome: The outcome; None while it is unknown.
        decided_at: Time of the last decision or outcome, UTC.
        state, version: See `domain.adjudication.Case`.
        lapse_at: Time from which a verdict is late, UTC; None for an alert of a recording.
        lapsed_at: Time from which the alert no longer accepts sightings, UTC; None until then.
        settle_at: Time of the automatic settlement, UTC; None if there is nothing to settle.
        closed_at: Time from which neither a verdict nor an outcome is due, UTC; None until then.
        erase_at: Time by which the pictures must be erased, UTC; None if only the retention period
            applies.
        erased_at: Time at which the erasure of pictures and positions began or ended, UTC; None
            before that.
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
    def subject_label(self) -> str:
        """The subject's name for display."""
        return self.subject or "somebody (erased)"


class HoldKind(StrEnum):
    """The reason for a hold."""

    COMPLAINT = "complaint"
    DISCLOSURE = "disclosure"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold, which prevents the erasure of its alert until the hold expires or is released.

    Attributes:
        hold_id: UUID text.
        placed_at, expires_at: UTC.
        released_at: UTC; None if the hold was not released.
    """

    hold_id: str
    alert_id: str
    kind: HoldKind
    placed_at: datetime
    expires_at: datetime
    released_at: datetime | None = None

    def is_active(self, at: datetime) -> bool:
        """Return whether the hold protects its alert at a time."""
        return self.released_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A page of a list of alerts, in order from the latest.

    Attributes:
        after: Cursor of the next page; empty on the last page.
    """

    alerts: tuple[RecordedAlert, ...]
    after: str


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of an alert.

    Attributes:
        event: The event as published. After the erasure of the alert, the box is (0, 0, 0, 0) and
            the subject is empty. After the erasure of this sighting alone, because it was rejected,
            the box is (0, 0, 0, 0) and the camera is empty, since the alert retains its subject.
        emitted_at: UTC.
        evidence: Name of the evidence in the vault; None without evidence or after erasure.
        rejected_at: Time at which a person decided that the sighting shows another person than
            the alert's other sightings, UTC; None without such a decision.
    """

    event: AlertEvent
    emitted_at: datetime
    evidence: str | None
    rejected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NameErasures:
    """Result of an erasure of names.

    Attributes:
        erased: Number of acts whose names and texts were erased.
        retained: Number of acts on held and sealed alerts, whose names and texts were not erased.
    """

    erased: int
    retained: int
