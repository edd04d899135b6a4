"""Measures the watched time of a camera, and the unwatched time by reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

MAX_WATCHED_GAP_US = 1_000_000
"""Longest gap between two analysed frames that counts as watched, microseconds.

A track survives 0.8 s without a frame, and a person who passes is visible for longer."""


class UnwatchedReason(StrEnum):
    """Reason why a camera was not watched."""

    NO_FRAMES = "no_frames"  # no frames arrived, or capture skipped all frames
    LATE = "late"  # frames were too old at their turn, or replaced by newer frames
    UNREADABLE = "unreadable"  # frames could not be decoded
    OUTSIDE_HOURS = "outside_hours"  # frames were captured outside the authorised hours
    PAUSED = "paused"  # the deployment was paused, not started or in an unknown state


@dataclass(slots=True)
class Watchtime:
    """Watched and unwatched time of one camera, from its frames' capture times, microseconds.

    Attributes:
        until: Capture time up to which all time is counted; None before the first frame.
        why: Reason for the frames that were skipped since `until`; None without skipped frames.
        watched, unwatched: Time that was counted since the last call of `take`.
    """

    until: int | None = None
    why: UnwatchedReason | None = None
    watched: int = 0
    unwatched: Counter[UnwatchedReason] = field(default_factory=Counter)

    def record_analysed(self, at: int) -> None:
        """Count the time up to an analysed frame, as watched if it is within the longest gap."""
        if self.until is not None and at > self.until:
            gap = at - self.until
            if gap <= MAX_WATCHED_GAP_US:
                self.watched += gap
            else:
                self.unwatched[self.why or UnwatchedReason.NO_FRAMES] += gap
        self.until, self.why = at, None

    def record_skipped(self, at: int, why: UnwatchedReason) -> None:
        """Count the time up to a skipped frame as unwatched, if it exceeds the longest gap."""
        if self.until is None or at < self.until:
            self.until = at
        self.why = self.why or why
        if at - self.until > MAX_WATCHED_GAP_US:
            self.unwatched[self.why] += at - self.until
            self.until = at

    def record_pause(self) -> None:
        """Make a pause the reason for the following unwatched time, unless there is a reason."""
        self.why = self.why or UnwatchedReason.PAUSED

    def take(self) -> tuple[int, dict[UnwatchedReason, int]]:
        """Return and reset the time that was counted since the last call."""
        counted = self.watched, dict(self.unwatched)
        self.watched, self.unwatched = 0, Counter()
        return counted
