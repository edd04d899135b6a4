"""The audit event about calibrations (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from openlfr.domain.audit import ActDetails

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.calibrations import Calibration


@dataclass(frozen=True, slots=True)
class CalibrationMade(ActDetails):
    """A person calibrated the threshold for a target FPIR.

    Attributes:
        calibration_id: sha256 (hex) of the record's content, which this act confirms.
        target_fpir, threshold: Requested FPIR, and the resulting threshold.
        people, searched, above: Numbers of people: all, with a searched track, at the threshold.
        low, high: 95% interval of the FPIR.
        list_root, references, subjects: State of the list.
        cohort: Digest of the people's photos.
        models: sha256 (hex) of each loaded graph, by role.
        rules: Hash of the settings.
        passes: How the people passed; simulated in this version.
    """

    kind: ClassVar[str] = "calibration.made"
    object_kind: ClassVar[str] = "calibration"
    calibration_id: str
    target_fpir: float
    threshold: float
    people: int
    searched: int
    above: int
    low: float
    high: float
    list_root: str
    references: int
    subjects: int
    cohort: str
    models: Mapping[str, Any] = field(default_factory=dict)
    rules: str = ""
    software: str = ""
    passes: str = "simulated"

    @classmethod
    def from_calibration(cls, made: Calibration) -> Self:
        """Return the details of a calibration."""
        return cls(
            made.calibration_id,
            made.target_fpir,
            made.threshold,
            made.cohort.people,
            made.cohort.searched,
            made.above,
            made.low,
            made.high,
            made.list_root,
            made.references,
            made.subjects,
            made.cohort.photos_sha256,
            {role: loaded for role, _, loaded in made.conditions.models},
            made.conditions.rules,
            made.conditions.software,
        )
