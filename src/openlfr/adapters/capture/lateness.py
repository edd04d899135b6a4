"""How late a live camera's pictures are read, as far as their own times tell.

`captured_at` of a live picture is when it was read. A reader that gets too little CPU, or a network
that is too slow, leaves pictures waiting in buffers, and each is then older than that says. It
shows in the pictures' own times, which then grow more slowly than the clock.
"""

from __future__ import annotations

LATE_S = 2.0
"""From when on a picture counts as late."""
_DRIFT = 1e-3  # by which a camera's clock may be slow: ten times what a poor quartz is


class Lateness:
    """How late one connection's pictures are, against the quickest of them."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._least: float | None = None  # from a picture's own time to when it was read
        self._own_s = 0.0  # of the picture before
        self._at_s = 0.0

    def of(self, own_s: float | None, at_s: float) -> float:
        """How late a picture is, seconds; 0 where it says no time.

        What is late from the first picture on cannot be seen, nor after hours what stayed equally
        late: by as much the camera's clock may differ.

        Args:
            own_s: The picture's own time, seconds of any clock. Where it falls back the camera
                began anew, and so does this.
            at_s: When it was read, seconds of a steady clock.
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
