"""A run of the embedded pipeline: what `--resume` needs to go on with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        config_hash: sha256 (hex) of what decides its results: cameras, threshold, models.
        started_at: UTC; the default start of its cameras' clocks, the same after a resume.
        epoch: Number of the run within its deployment, from 1; part of every sighting's id.
    """

    run_id: str
    deployment: str
    config_hash: str
    started_at: datetime
    epoch: int


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """Where a run wrote what outlives it.

    Attributes:
        alerts: File of alert lines, absolute; None: none.
        report: The report's folder, absolute; None: none.
    """

    alerts: Path | None = None
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment of one camera at which no track was live: a run may go on from there exactly.

    Attributes:
        next_seq: First frame that is not yet analysed.
        counters: The camera's counts up to there, JSON values.
    """

    camera: str
    next_seq: int
    counters: Mapping[str, object] = field(default_factory=dict)
