"""The audit event about baselines (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from openlfr.domain.audit import ActDetails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openlfr.domain.baseline_openings import Opening


@dataclass(frozen=True, slots=True)
class BaselineOpened(ActDetails):
    """A baseline opened: the conditions that determine who alerts have changed.

    Attributes:
        number: Position among the deployment's baselines, from 1.
        opened_at: ISO 8601, UTC; the act may be recorded later, from a message.
        why: Each change from the previous baseline.
        list_root: RFC 6962 tree hash (hex) over the hashes of the searchable entries.
        references: Number of searchable references.
        subjects: Number of searchable subjects; None if unknown.
        threshold, threshold_origin: Score from which a track is matched, and its origin.
        threshold_doubt: Why the threshold's stated basis is not valid; empty if it is valid.
        models: sha256 (hex) of each loaded graph, by role.
        rules, cameras: Hashes of the settings.
    """

    kind: ClassVar[str] = "baseline.opened"
    object_kind: ClassVar[str] = "deployment"
    deployment_id: str
    number: int
    baseline_id: str
    opened_at: str
    why: Sequence[str]
    list_root: str
    references: int
    subjects: int | None
    threshold: float
    threshold_origin: str
    threshold_doubt: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    rules: str = ""
    cameras: str = ""
    software: str = ""

    @classmethod
    def from_opening(cls, opening: Opening) -> Self:
        """Return the details of a baseline's opening."""
        content = opening.baseline
        return cls(
            content.deployment,
            opening.number,
            opening.baseline_id,
            opening.opened_at.isoformat(),
            list(opening.changes),
            content.listed.root,
            content.listed.references,
            content.listed.subjects,
            content.threshold.value,
            str(content.threshold.origin),
            content.threshold.basis_problem,
            {each.role: each.prepared_sha256 for each in content.models},
            content.rules,
            content.cameras,
            content.software,
        )
