"""Measures how late a live camera's pictures are read, from the pictures' own times.

`captured_at` of a live picture is the time at which it was read. A reader with too little CPU, or
a slow network, leaves pictures waiting in buffers; each is then older than its `captured_at`. The
pictures' own times show the delay: they grow more slowly than the clock.
"""

from __future__ import annotations

LATE_S = 2.0
"""Delay from which a picture counts as late."""
_DRIFT = 1e-3  # how slow a camera's clock may run: ten times the error of a poor quartz


class Lateness:
    """Measures the delay of one connection's pictures against its quickest picture."""

    def __init__(self) -> None:
        self._least: float | None = None  # least difference between reading and own time
        self._own_s = 0.0  # own time of the previous picture
        self._at_s = 0.0

    def measure(self, own_s: float | None, at_s: float) -> float:
        """Return the delay of a picture, seconds; 0 if the picture has no time.

        A delay that exists from the first picture on cannot be measured. Nor can one that has been
        constant for hours: the camera's clock may have drifted by as much.

        Args:
            own_s: The picture's own time, seconds of any clock. A time that falls back means that
                the camera restarted; the measurement restarts with it.
            at_s: When the picture was read, seconds of a steady clock.
        """
        if own_s is None:
            return 0.0
        late = at_s - own_s
        if self._least is None or own_s < self._own_s:
            self._least = late
        else:
            self._least = min(self._least + _DRIFT * (at_s - self._at_s), late)
        self._own_s, self._at_s = own_s, at_s
        return late - self._least
