"""Times as whole microseconds, so that no comparison depends on rounding.

A float of the seconds since 1970 is exact to only a quarter of a microsecond, so the difference of
two such floats depends on the start time. With floats, tracks of the same video ended a frame
earlier or later when the video started at another fraction of a second. Differences of whole
microseconds do not depend on the start.
"""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000_000
"""Microseconds in a second."""

ROUNDING = 1_000
"""Tolerance in microseconds for a comparison of two spans.

At 30 frames a second, two frames are 33,333 or 33,334 microseconds apart, so a span of 24 frames
is 0.8 s or differs from it by a microsecond. No camera has frames only a millisecond apart."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Return the exact number of whole microseconds since 1970."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def is_at_most(span: int, seconds: float) -> bool:
    """Return whether a span in microseconds is at most this many seconds, with a tolerance."""
    return span <= round(seconds * SECOND) + ROUNDING


def is_at_least(span: int, seconds: float) -> bool:
    """Return whether a span in microseconds is at least this many seconds, with a tolerance."""
    return span >= round(seconds * SECOND) - ROUNDING
