"""Audit events: who did what to what, when. Recorded with the change itself, never altered.

Each kind of event is a small class whose fields are what is recorded of it: JSON values only, no
picture, no template, no secret. The first field is the id of what was acted upon. A new act is a
new class here and a function in `operations`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.principals import Principal


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
