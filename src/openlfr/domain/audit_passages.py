"""Audit events about planned passages of control subjects (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from openlfr.domain.audit import ActDetails

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class PassagePlanned(ActDetails):
    """A walk of a control subject was planned.

    Attributes:
        deployment_id: The deployment whose cameras the subject will pass.
        commitment: sha256 (hex) of the plan; it reveals neither the subject nor the cameras.
    """

    kind: ClassVar[str] = "passage.planned"
    object_kind: ClassVar[str] = "passage"
    plan_id: str
    deployment_id: str
    commitment: str


@dataclass(frozen=True, slots=True)
class PassageLogged(ActDetails):
    """A planned walk took place.

    Attributes:
        begins, ends: ISO 8601, UTC.
        cameras: Names of the planned cameras that the subject passed.
    """

    kind: ClassVar[str] = "passage.logged"
    object_kind: ClassVar[str] = "passage"
    plan_id: str
    deployment_id: str
    begins: str
    ends: str
    cameras: Sequence[str]
