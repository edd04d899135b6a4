"""Audit events: who did what to what, when. Recorded with the change itself, never altered.

Each kind of event is a small class whose fields are what is recorded of it: JSON values only, no
picture, no template, no secret. The first field is the id of what was acted upon. A new act is a
new class here and a function in `operations`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.principals import Principal
    from openlfr.domain.watchlist import Reference


@dataclass(frozen=True, slots=True)
class ActDetails:
    """What happened, without who and when.

    Attributes:
        kind: A dotted verb, fixed for ever: it is what is searched for in the audit log.
        object_kind: Of what was acted upon.
    """

    kind: ClassVar[str]
    object_kind: ClassVar[str]

    @property
    def object_id(self) -> str:
        """The id of what was acted upon: the first field."""
        return str(getattr(self, fields(self)[0].name))

    def detail(self) -> dict[str, object]:
        """What is recorded beside the id; what is empty is left out."""
        values = {each.name: getattr(self, each.name) for each in fields(self)[1:]}
        return {name: value for name, value in values.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act.

    Attributes:
        at: UTC.
        by: The person, or the part of OpenLFR, that did it.
        event_id: UUID text.
    """

    at: datetime
    by: Principal
    what: ActDetails
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class RecordedAct:
    """An audit event as the records give it back, those of former versions included.

    Attributes:
        position: In the order of the commits, from 1, without a gap.
        kind, object_kind, object_id, detail: As of `ActDetails`.
    """

    position: int
    event_id: str
    at: datetime
    by: Principal
    kind: str
    object_kind: str
    object_id: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReferenceActDetails(ActDetails):
    """Something was done to an entry of the watchlist.

    Attributes:
        reason: In the words of the person; empty where none was asked for.
    """

    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    watchlist: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceEnrolled(ActDetails):
    """A person was listed.

    Attributes:
        enrolled_by, authorised_by: Names, as the manifest gives them.
        expires: ISO 8601, UTC.
        picture_hash: sha256 (hex) of the imported file.
        model_sha256: Of the embedder as shipped.
        second_authoriser, second_reason: Who allows a picture that is listed under another name.
        entry_hash: Of the entry (`watchlist.hash_entry`); acts of former versions have none.
    """

    kind: ClassVar[str] = "reference.enrolled"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    watchlist: str
    category: str
    legal_basis: str
    source: str
    enrolled_by: str
    authorised_by: str
    expires: str
    picture_hash: str
    model_sha256: str
    second_authoriser: str = ""
    second_reason: str = ""
    entry_hash: str = ""

    @classmethod
    def of(cls, entry: Reference, *, picture_hash: str, model_sha256: str) -> Self:
        """The enrolment of an entry."""
        return cls(
            reference_id=entry.reference_id,
            subject=entry.subject,
            watchlist=entry.watchlist,
            category=entry.category,
            legal_basis=entry.legal_basis,
            source=entry.source,
            enrolled_by=entry.enrolled_by,
            authorised_by=entry.authorised_by,
            expires=entry.expires.isoformat(),
            picture_hash=picture_hash,
            model_sha256=model_sha256,
            second_authoriser=entry.second_authoriser,
            second_reason=entry.second_reason,
            entry_hash=entry.entry_hash,
        )


@dataclass(frozen=True, slots=True)
class ReferenceActivated(ActDetails):
    """An entry passed the gallery's rules: it is searched from now on."""

    kind: ClassVar[str] = "reference.activated"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    note: str = ""
    second_authoriser: str = ""
    second_reason: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceRefused(ActDetails):
    """The gallery's rules turned an entry down after its import."""

    kind: ClassVar[str] = "reference.refused"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    note: str = ""
    second_authoriser: str = ""
    second_reason: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceSuspended(ReferenceActDetails):
    """An entry is not searched until it is resumed."""

    kind: ClassVar[str] = "reference.suspended"


@dataclass(frozen=True, slots=True)
class ReferenceResumed(ReferenceActDetails):
    """A suspended entry is searched again."""

    kind: ClassVar[str] = "reference.resumed"


@dataclass(frozen=True, slots=True)
class ReferenceRemoved(ReferenceActDetails):
    """An entry left the list for good; its template and picture are erased."""

    kind: ClassVar[str] = "reference.removed"


@dataclass(frozen=True, slots=True)
class ReferenceExpired(ActDetails):
    """An entry's time was over; its template and picture are erased.

    Attributes:
        expires: ISO 8601, UTC.
    """

    kind: ClassVar[str] = "reference.expired"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    expires: str


@dataclass(frozen=True, slots=True)
class ReferenceForgotten(ActDetails):
    """Who was listed by an entry that had left was erased from its row."""

    kind: ClassVar[str] = "reference.forgotten"
    object_kind: ClassVar[str] = "reference"
    reference_id: str


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
class ClockConfirmed(ActDetails):
    """Somebody says that the clock is right, and that acts were recorded under one set ahead.

    What was recorded before says nothing any more of how late it is (`operations.clock`).

    Attributes:
        act_id: Of the act that was dated the furthest ahead.
        dated: When it says that it was done; ISO 8601, UTC.
        reason: In the words of the person.
    """

    kind: ClassVar[str] = "clock.confirmed"
    object_kind: ClassVar[str] = "act"
    act_id: str
    dated: str
    reason: str


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
