"""What a source did not yield, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SENTENCES_KEPT = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """How a camera is read; `open_source` says what each means."""

    camera: str
    epoch: int
    start: datetime | None = None
    assumed_start: datetime = field(default_factory=lambda: datetime.now(UTC))
    fps: float | None = None
    loop: bool = False
    threads: int = 1


@dataclass(slots=True)
class Account:
    """Counts of frames left out; every source keeps one, so that nothing vanishes silently.

    Attributes:
        sampled_away: Left out because fewer per second were asked for.
        overtaken: Of a live camera, left out because a newer one had come.
        unreadable: Could not be decoded.
        connects: Times that a live camera gave its first picture.
        failures: Times that a live camera did not answer, or stopped answering.
        frozen: Those of them where it went on being connected and sent nothing.
        late: Frames of a live camera that were yielded, and had waited in buffers for long.
        behind_s: How late the one yielded last was, seconds.
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

    def lost(self, frames: int, why: str) -> None:
        """Count unreadable frames; the first hundred distinct reasons are kept."""
        self.unreadable += frames
        self.note(why)

    def note(self, why: str) -> None:
        """Keep a sentence, if there is room and it is new."""
        if why not in self.problems and len(self.problems) < _SENTENCES_KEPT:
            self.problems.append(why)


class Accounted:
    """What every source says of the frames that it did not yield."""

    def __init__(self) -> None:
        self.account = Account()

    @property
    def sampled_away(self) -> int:
        """Frames left out so far because fewer per second were asked for."""
        return self.account.sampled_away

    @property
    def unreadable(self) -> int:
        """Frames so far that could not be decoded."""
        return self.account.unreadable

    @property
    def problems(self) -> Sequence[str]:
        """A sentence for each of the first hundred things that could not be read."""
        return tuple(self.account.problems)


class ClockSampling:
    """Which frames of a live camera are looked at: those nearest to a beat of 1/wanted seconds.

    Frames come early and late; half their usual distance (a running mean) is as good as on time.
    """

    def __init__(self, wanted: float | None) -> None:
        self._beat = None if wanted is None else 1 / wanted
        self._due: float | None = None
        self._before: float | None = None
        self._distance = 0.0

    def takes(self, at: float) -> bool:
        """Whether the frame that came at `at` (seconds of any steady clock) is looked at."""
        if self._beat is None:
            return True
        if self._before is not None:
            apart = min(at - self._before, self._beat)
            self._distance += (apart - self._distance) / 8 if self._distance else apart
        self._before = at
        if self._due is not None and at < self._due - self._distance / 2:
            return False
        late = self._due is None or at - self._due > self._beat
        self._due = (at if late or self._due is None else self._due) + self._beat
        return True
