"""Counts the frames that a source did not yield, by reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_PROBLEMS = 100


@dataclass(slots=True)
class SourceCounters:
    """Counters of one source, so that no frame vanishes silently.

    Attributes:
        sampled_away: Frames skipped because `fps` requests fewer.
        overtaken: Frames of a live camera skipped because a newer frame had arrived.
        unreadable: Frames that could not be decoded.
        connects: Connections to a live camera that sent a picture.
        failures: Connections to a live camera that failed, before or after the first picture.
        frozen: Failures in which a live camera stayed connected and sent nothing.
        late: Frames of a live camera that were yielded late, after a long time in buffers.
        behind_s: Delay of the last yielded frame, seconds.
        problems: The first hundred distinct problems, a sentence each.
    """

    sampled_away: int = 0
    overtaken: int = 0
    unreadable: int = 0
    connects: int = 0
    failures: int = 0
    frozen: int = 0
    late: int = 0
    behind_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    def count_unreadable(self, frames: int, reason: str) -> None:
        """Count frames that cannot be decoded, and record the reason."""
        self.unreadable += frames
        self.add_problem(reason)

    def add_problem(self, reason: str) -> None:
        """Record a reason, unless it is already recorded or a hundred are."""
        if reason not in self.problems and len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(reason)


class SourceWithCounters:
    """Base class of sources, with counters."""

    def __init__(self) -> None:
        self.counters = SourceCounters()

    @property
    def sampled_away(self) -> int:
        """Number of frames skipped so far because `fps` requests fewer."""
        return self.counters.sampled_away

    @property
    def unreadable(self) -> int:
        """Number of frames so far that could not be decoded."""
        return self.counters.unreadable

    @property
    def problems(self) -> Sequence[str]:
        """The first hundred distinct problems, a sentence each."""
        return tuple(self.counters.problems)
