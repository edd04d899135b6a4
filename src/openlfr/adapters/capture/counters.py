"""Counts the frames that a source did not yield, by reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_PROBLEMS = 100


@dataclass(slots=True)
class SourceCounters:
    """Counters of one source, so that no frame vanishes silently.

    Attributes:
        sampled_away: Frames skipped because `fps` asks for fewer.
        overtaken: Frames of a live camera skipped because a newer one had come.
        unreadable: Frames that could not be decoded.
        connects: Connections of a live camera that gave a picture.
        failures: Connections of a live camera that failed, before or after the first picture.
        frozen: Failures of a live camera that stayed connected and sent nothing.
        late: Frames of a live camera that were yielded after waiting long in buffers.
        behind_s: Delay of the frame yielded last, seconds.
        problems: The first hundred distinct reasons, a sentence each.
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
        """Record a reason, unless it is known or a hundred are recorded."""
        if reason not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(reason)


class SourceWithCounters:
    """Base class of sources: exposes their counters."""

    def __init__(self) -> None:
        self.counters = SourceCounters()

    @property
    def sampled_away(self) -> int:
        """Frames skipped so far because `fps` asks for fewer."""
        return self.counters.sampled_away

    @property
    def unreadable(self) -> int:
        """Frames so far that could not be decoded."""
        return self.counters.unreadable

    @property
    def problems(self) -> Sequence[str]:
        """The first hundred distinct problems, a sentence each."""
        return tuple(self.counters.problems)
