"""Options of a camera source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

FROZEN_AFTER_S = 10.0
"""Default time without data after which a live camera counts as frozen."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Options of a camera source; `open_source` explains each."""

    camera: str
    epoch: int
    start: datetime | None = None
    assumed_start: datetime = field(default_factory=lambda: datetime.now(UTC))
    fps: float | None = None
    loop: bool = False
    threads: int = 1
