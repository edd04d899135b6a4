"""How a source is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

FROZEN_AFTER_S = 10.0
"""Default time after which a live camera that sends nothing counts as frozen."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a source is read; `open_source` explains each option."""

    camera: str
    epoch: int
    start: datetime | None = None
    assumed_start: datetime = field(default_factory=lambda: datetime.now(UTC))
    fps: float | None = None
    loop: bool = False
    threads: int = 1
