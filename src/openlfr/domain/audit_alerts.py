"""Audit events about alerts, their verdicts and their pictures (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from openlfr.domain.audit import ActDetails


@dataclass(frozen=True, slots=True)
class VerdictActDetails(ActDetails):
    """Details of a verdict on an alert.

    Attributes:
        verdict_id: UUID text; empty in acts of versions without rows for verdicts.
        code: Coded reason; empty if the person chose none.
        reason: Free text of the person.
    """

    object_kind: ClassVar[str] = "alert"
    alert_id: str
    adjudication: str
    verdict_id: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AlertDecided(VerdictActDetails):
    """An operator decided an alert in time."""

    kind: ClassVar[str] = "alert.decided"


@dataclass(frozen=True, slots=True)
class AlertDecidedLate(VerdictActDetails):
    """An operator decided an alert that had lapsed."""

    kind: ClassVar[str] = "alert.decided_late"


@dataclass(frozen=True, slots=True)
class AlertSecondLook(VerdictActDetails):
    """Another person took the second look at an alert."""

    kind: ClassVar[str] = "alert.second_look"


@dataclass(frozen=True, slots=True)
class AlertSettled(VerdictActDetails):
    """An alert was settled, by a supervisor or automatically at the deadline."""

    kind: ClassVar[str] = "alert.settled"


@dataclass(frozen=True, slots=True)
class AlertUndone(ActDetails):
    """A person undid a verdict.

    Attributes:
        verdict_id: The verdict that was undone.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.undone"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    adjudication: str
    verdict_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AlertLapsed(ActDetails):
    """An alert lapsed without a verdict, or a newer alert of its subject replaced it."""

    kind: ClassVar[str] = "alert.lapsed"
    object_kind: ClassVar[str] = "alert"
    alert_id: str


@dataclass(frozen=True, slots=True)
class AlertReopened(ActDetails):
    """An alert decided as *cannot tell* was reopened by another sighting."""

    kind: ClassVar[str] = "alert.reopened"
    object_kind: ClassVar[str] = "alert"
    alert_id: str


@dataclass(frozen=True, slots=True)
class AlertOutcome(ActDetails):
    """The outcome of a decided alert was recorded.

    Attributes:
        outcome_before: The previously recorded outcome; empty without one.
        minutes_stopped: Minutes for which a person was stopped; None if unknown.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.outcome"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    outcome: str
    outcome_before: str = ""
    minutes_stopped: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SightingRejected(ActDetails):
    """A sighting was removed from an alert whose other sightings show another person.

    Attributes:
        event_id: The sighting's alert event.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.sighting_rejected"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    event_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HoldPlaced(ActDetails):
    """A hold was placed for a complaint or a disclosure, so that the alert is not erased.

    Attributes:
        expires: ISO 8601, UTC.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.hold_placed"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    hold_id: str
    hold_kind: str
    expires: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldReleased(ActDetails):
    """A hold was released, so that the usual rules of erasure apply again.

    Attributes:
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.hold_released"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertUnsealed(ActDetails):
    """Sealed pictures of a person who was stopped by mistake were decrypted into a file.

    Attributes:
        file: Name of the file, without folders.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.unsealed"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertShown(ActDetails):
    """Pictures of an alert were decrypted into a file.

    Attributes:
        file: Name of the file, without folders.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.shown"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    file: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NamesErased(ActDetails):
    """Names and texts of people in old acts were erased from the audit log.

    Attributes:
        before: Time before which the acts were recorded, ISO 8601, UTC.
        acts: Number of these acts.
    """

    kind: ClassVar[str] = "acts.names_erased"
    object_kind: ClassVar[str] = "acts"
    before: str
    acts: int


@dataclass(frozen=True, slots=True)
class AlertErased(ActDetails):
    """Pictures and positions of an alert were erased.

    Attributes:
        reason: Reason for the erasure.
        events: Number of erased sightings.
    """

    kind: ClassVar[str] = "alert.erased"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    reason: str
    events: int
