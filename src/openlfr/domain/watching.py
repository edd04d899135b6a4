"""For how long a camera was watched, and for how long it was not, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

REACH_US = 1_000_000
"""Microseconds: a moment is watched if the frames looked at before and after it are at most so far
apart. A face is followed over 0.8 s without a frame; who passes is in sight for longer."""


class UnwatchedReason(StrEnum):
    """Why nobody looked."""

    NO_FRAMES = "no_frames"  # the camera or its connection gave none, or all were left out before
    LATE = "late"  # frames came and were too old when their turn came, or overtaken
    UNREADABLE = "unreadable"  # frames came and could not be read
    OUTSIDE_HOURS = "outside_hours"  # frames came outside the authorised hours
    PAUSED = "paused"  # the deployment was not in force: paused, not started, its state not known


@dataclass(slots=True)
class Watchtime:
    """One camera's time, by the capture times of its frames, in whole microseconds.

    Attributes:
        until: Up to when all is accounted for; None before the first frame.
        why: Why frames since then were not looked at; None where there were none.
        watched, unwatched: Since they were last taken.
    """

    until: int | None = None
    why: UnwatchedReason | None = None
    watched: int = 0
    unwatched: Counter[UnwatchedReason] = field(default_factory=Counter)

    def looked(self, at: int) -> None:
        """A frame was looked at."""
        if self.until is not None and at > self.until:
            gap = at - self.until
            if gap <= REACH_US:
                self.watched += gap
            else:
                self.unwatched[self.why or UnwatchedReason.NO_FRAMES] += gap
        self.until, self.why = at, None

    def missed(self, at: int, why: UnwatchedReason) -> None:
        """A frame came that was not looked at."""
        if self.until is None or at < self.until:
            self.until = at
        self.why = self.why or why
        if at - self.until > REACH_US:
            self.unwatched[self.why] += at - self.until
            self.until = at

    def paused(self) -> None:
        """The deployment is not in force: what follows is not watched for this reason."""
        self.why = self.why or UnwatchedReason.PAUSED

    def take(self) -> tuple[int, dict[UnwatchedReason, int]]:
        """What was counted since the last time."""
        taken = self.watched, dict(self.unwatched)
        self.watched, self.unwatched = 0, Counter()
        return taken
