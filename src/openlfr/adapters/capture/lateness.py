"""Measures the delay with which a live camera's pictures are read, from the pictures' own times.

`captured_at` of a live picture is the time at which it was read. If the CPU or the network is too
slow, pictures wait in buffers, and are then older than their `captured_at`. The pictures' own times
show this delay: they advance more slowly than the clock.
"""

from __future__ import annotations

LATE_S = 2.0
"""Delay from which a picture counts as late."""
_MAX_DRIFT = 1e-3  # of a slow camera clock: ten times the error of a poor quartz


class Lateness:
    """Measures the delay of a connection's pictures, compared with its least delayed picture."""

    def __init__(self) -> None:
        self._min_offset_s: float | None = None  # smallest difference of read time and own time
        self._own_s = 0.0  # own time of the previous picture
        self._at_s = 0.0  # read time of the previous picture

    def measure(self, own_s: float | None, at_s: float) -> float:
        """Return the delay of a picture, seconds; 0 if the picture has no time.

        Two delays cannot be measured: a delay that exists from the first picture on, and a delay
        that has been constant for hours, since the camera's clock may have drifted that far.

        Args:
            own_s: The picture's own time, seconds of any clock. If it is earlier than the previous
                picture's, the camera has restarted, and the measurement restarts.
            at_s: Time at which the picture was read, seconds of a steady clock.
        """
        if own_s is None:
            return 0.0
        offset_s = at_s - own_s
        if self._min_offset_s is None or own_s < self._own_s:
            self._min_offset_s = offset_s
        else:
            drifted_s = self._min_offset_s + _MAX_DRIFT * (at_s - self._at_s)
            self._min_offset_s = min(drifted_s, offset_s)
        self._own_s, self._at_s = own_s, at_s
        return offset_s - self._min_offset_s
