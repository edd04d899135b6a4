"""Measures for how long a camera was watched, and for how long and why it was not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

MAX_WATCHED_GAP_US = 1_000_000
"""Longest gap between two analysed frames that counts as watched, microseconds.

A track survives 0.8 s without a frame; a person who passes is in sight for longer."""


class UnwatchedReason(StrEnum):
    """Why a camera was not watched."""

    NO_FRAMES = "no_frames"  # none arrived, or capture skipped all of them
    LATE = "late"  # frames were too old when their turn came, or overtaken
    UNREADABLE = "unreadable"  # frames could not be decoded
    OUTSIDE_HOURS = "outside_hours"  # frames were captured outside the authorised hours
    PAUSED = "paused"  # the deployment was paused, not started or in an unknown state


@dataclass(slots=True)
class Watchtime:
    """Watched and unwatched time of one camera, by its frames' capture times, whole microseconds.

    Attributes:
        until: Capture time up to which all time is counted; None before the first frame.
        why: Why frames since `until` were skipped; None without skipped frames.
        watched, unwatched: Time counted since the last `take`.
    """

    until: int | None = None
    why: UnwatchedReason | None = None
    watched: int = 0
    unwatched: Counter[UnwatchedReason] = field(default_factory=Counter)

    def record_analysed(self, at: int) -> None:
        """Count the time up to an analysed frame."""
        if self.until is not None and at > self.until:
            gap = at - self.until
            if gap <= MAX_WATCHED_GAP_US:
                self.watched += gap
            else:
                self.unwatched[self.why or UnwatchedReason.NO_FRAMES] += gap
        self.until, self.why = at, None

    def record_skipped(self, at: int, why: UnwatchedReason) -> None:
        """Count the time up to a skipped frame."""
        if self.until is None or at < self.until:
            self.until = at
        self.why = self.why or why
        if at - self.until > MAX_WATCHED_GAP_US:
            self.unwatched[self.why] += at - self.until
            self.until = at

    def record_pause(self) -> None:
        """Make a pause the reason of the unwatched time that follows."""
        self.why = self.why or UnwatchedReason.PAUSED

    def take(self) -> tuple[int, dict[UnwatchedReason, int]]:
        """Return the time counted since the last call and reset it."""
        taken = self.watched, dict(self.unwatched)
        self.watched, self.unwatched = 0, Counter()
        return taken
