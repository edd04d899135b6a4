"""What is recorded of baselines (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from openlfr.domain.audit import ActDetails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openlfr.domain.baseline_openings import Opening


@dataclass(frozen=True, slots=True)
class BaselineOpened(ActDetails):
    """Something changed that decides who alerts: the figures from here on stand by themselves.

    Attributes:
        number: Within the deployment, from 1.
        opened_at: ISO 8601, UTC; the act may be recorded later, from a message.
        why: What had changed.
        list_root: RFC 6962 tree hash (hex) over the hashes of the searchable entries.
        references, subjects: How many of them; subjects are None where that is not known.
        threshold, threshold_origin: From which score, and who chose it.
        threshold_doubt: Why it is not what it was chosen as; empty where it is.
        models: sha256 of each graph that is loaded, by role.
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
    def of(cls, opening: Opening) -> Self:
        """That a baseline opened."""
        content = opening.baseline
        return cls(
            content.deployment,
            opening.number,
            opening.baseline_id,
            opening.opened_at.isoformat(),
            list(opening.why),
            content.listed.root,
            content.listed.references,
            content.listed.subjects,
            content.threshold.value,
            str(content.threshold.origin),
            content.threshold.doubt,
            {each.role: each.prepared_sha256 for each in content.models},
            content.rules,
            content.cameras,
            content.software,
        )
