"""A clock that a test moves."""

from __future__ import annotations


class ManualClock:
    """A monotonic clock that only the test moves; a call returns the time in seconds.

    Attributes:
        now: The present time in seconds.
    """

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the present time, seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.now += seconds
