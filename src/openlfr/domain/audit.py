"""Audit events: the author, kind, object and time of each act.

An event is recorded in the same transaction as its change, and never altered. Each kind of event is
a small class. The first field of the class is the object's id. All fields are recorded as JSON
values and contain no picture, template or secret. A new kind of act needs a class in the
`audit_...` module of its object, and a function in `operations`.
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
    """The kind, object and further details of an act, without its author and time.

    Attributes:
        kind: A dotted verb, which people use to search the audit log; it never changes.
        object_kind: Kind of the object, such as alert, reference or deployment.
    """

    kind: ClassVar[str]
    object_kind: ClassVar[str]

    @property
    def object_id(self) -> str:
        """The object's id, which is the first field."""
        return str(getattr(self, fields(self)[0].name))

    def detail(self) -> dict[str, object]:
        """Return the other fields by name, without empty fields."""
        values = {each.name: getattr(self, each.name) for each in fields(self)[1:]}
        return {name: value for name, value in values.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """An act to be recorded.

    Attributes:
        at: UTC.
        by: The person, or the part of OpenLFR, that acted.
        event_id: UUID text.
    """

    at: datetime
    by: Principal
    details: ActDetails
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class RecordedAct:
    """An audit event as read from the records; an earlier version may have written it.

    Attributes:
        position: Number in the order of the commits, from 1, without gaps.
        kind, object_kind, object_id, detail: See `ActDetails`.
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
    """A person confirmed the clock, since an earlier act has a time ahead of the clock.

    Times of acts before this act are no longer compared with the clock (`operations.clock`).

    Attributes:
        act_id: Id of the act with the latest time.
        dated: Recorded time of that act, ISO 8601, UTC.
        reason: Free text of the person.
    """

    kind: ClassVar[str] = "clock.confirmed"
    object_kind: ClassVar[str] = "act"
    act_id: str
    dated: str
    reason: str
