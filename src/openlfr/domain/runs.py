"""A run of the embedded pipeline: the data that `--resume` needs."""

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
        config_hash: sha256 (hex) of the settings that determine the results.
        started_at: UTC; default start of the cameras' clocks; a resume does not change it.
        epoch: Number of the run within its deployment, from 1; part of every sighting's id.
    """

    run_id: str
    deployment: str
    config_hash: str
    started_at: datetime
    epoch: int


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """The files of a run, or of a report from the records, that remain.

    Attributes:
        alerts: Absolute path of the file of alert lines; None without such a file.
        report: Absolute path of the report's folder; None without a report.
    """

    alerts: Path | None = None
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A position of one camera without live tracks, from which a run can resume exactly.

    Attributes:
        next_seq: Number of the first frame that is not analysed yet.
        counters: The camera's counts before that frame, JSON values.
    """

    camera: str
    next_seq: int
    counters: Mapping[str, object] = field(default_factory=dict)
