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
        code: Coded reason; empty where none was chosen.
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
    """A supervisor settled an alert, or OpenLFR did at its deadline."""

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
        outcome_before: The outcome recorded before; empty without one.
        minutes_stopped: How long somebody was stopped; None where it was not recorded.
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
    """A sighting was removed from an alert because it shows another person than the others.

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
    """A hold was placed: the alert is not erased, for a complaint or a disclosure.

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
    """A hold was released: the usual rules of erasure apply again.

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
        file: Its name, without folders.
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
        file: Its name, without folders.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "alert.shown"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    file: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NamesErased(ActDetails):
    """The authors of acts on alerts before a time were erased from the audit log.

    Attributes:
        before: ISO 8601, UTC.
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
        reason: Why the erasure was due.
        events: Number of sightings erased.
    """

    kind: ClassVar[str] = "alert.erased"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    reason: str
    events: int
