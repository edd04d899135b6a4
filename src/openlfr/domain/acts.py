"""What people and the system did, for the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Act:
    """One act: who did what to what, when. Recorded once, never changed.

    Attributes:
        at: UTC.
        actor: The person's name, or "system".
        act: A dotted verb, e.g. "reference.enrolled" or "alert.decided".
        object_kind: Of what was acted upon, e.g. "reference".
        object_id: Its id.
        detail: JSON values only; no picture, no template, no secret.
    """

    at: datetime
    actor: str
    act: str
    object_kind: str
    object_id: str
    detail: Mapping[str, object] = field(default_factory=dict)
