"""Audit events about alerts, their verdicts and their pictures (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from openlfr.domain.audit import ActDetails


@dataclass(frozen=True, slots=True)
class VerdictActDetails(ActDetails):
    """A verdict was given on an alert.

    Attributes:
        verdict_id: UUID text; empty in acts of before there were such rows.
        code: Why, as it is counted; empty where no reason was chosen.
        reason: Why, in the words of the person.
    """

    object_kind: ClassVar[str] = "alert"
    alert_id: str
    adjudication: str
    verdict_id: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AlertDecided(VerdictActDetails):
    """An operator gave the first verdict in time."""

    kind: ClassVar[str] = "alert.decided"


@dataclass(frozen=True, slots=True)
class AlertDecidedLate(VerdictActDetails):
    """An operator gave the first verdict on an alert whose time was over."""

    kind: ClassVar[str] = "alert.decided_late"


@dataclass(frozen=True, slots=True)
class AlertSecondLook(VerdictActDetails):
    """Another person looked at an alert that was decided."""

    kind: ClassVar[str] = "alert.second_look"


@dataclass(frozen=True, slots=True)
class AlertSettled(VerdictActDetails):
    """It was said which verdict holds: by a supervisor, or by the time."""

    kind: ClassVar[str] = "alert.settled"


@dataclass(frozen=True, slots=True)
class AlertUndone(ActDetails):
    """A person took a verdict back.

    Attributes:
        verdict_id: Which one.
        reason: Why, in the words of the person.
    """

    kind: ClassVar[str] = "alert.undone"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    adjudication: str
    verdict_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AlertLapsed(ActDetails):
    """Nobody decided an alert before its time was over, or another one of its subject followed."""

    kind: ClassVar[str] = "alert.lapsed"
    object_kind: ClassVar[str] = "alert"
    alert_id: str


@dataclass(frozen=True, slots=True)
class AlertReopened(ActDetails):
    """What nobody could tell is a question again, since another sighting has come."""

    kind: ClassVar[str] = "alert.reopened"
    object_kind: ClassVar[str] = "alert"
    alert_id: str


@dataclass(frozen=True, slots=True)
class AlertOutcome(ActDetails):
    """It is known what became of an alert that was decided before.

    Attributes:
        outcome_before: What stood before; empty where nothing did.
        minutes_stopped: How long somebody was stopped; None where nobody said.
        reason: In the words of the person.
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
    """A sighting was taken out of an alert: it shows another person than the others.

    Attributes:
        event_id: Which one.
        reason: Why, in the words of the person.
    """

    kind: ClassVar[str] = "alert.sighting_rejected"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    event_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HoldPlaced(ActDetails):
    """Something that would be erased is kept for a complaint or a disclosure.

    Attributes:
        expires: ISO 8601, UTC.
        reason: Why, in the words of the person.
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
    """What was kept for a complaint or a disclosure goes by the rules again.

    Attributes:
        reason: Why, in the words of the person.
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
        reason: Why, in the words of the person.
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
        reason: Why, in the words of the person.
    """

    kind: ClassVar[str] = "alert.shown"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    file: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NamesErased(ActDetails):
    """Who did what to alerts was erased, of acts before a moment.

    Attributes:
        before: ISO 8601, UTC.
        acts: Of how many.
    """

    kind: ClassVar[str] = "acts.names_erased"
    object_kind: ClassVar[str] = "acts"
    before: str
    acts: int


@dataclass(frozen=True, slots=True)
class AlertErased(ActDetails):
    """Pictures and positions of an alert were erased.

    Attributes:
        reason: Why they were due.
        events: Of how many sightings.
    """

    kind: ClassVar[str] = "alert.erased"
    object_kind: ClassVar[str] = "alert"
    alert_id: str
    reason: str
    events: int
