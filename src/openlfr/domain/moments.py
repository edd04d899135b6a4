"""Times as whole microseconds, so that no comparison depends on rounding.

A present time in seconds as a float is exact to a quarter of a microsecond only, so the difference
of two such floats depends on the times themselves. The same film, started at another fraction of a
second, had tracks that ended a frame earlier or later. Differences of whole microseconds do not
depend on the start.
"""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000_000
"""Microseconds in a second."""

ROUNDING = 1_000
"""Tolerance in microseconds when two spans are compared.

Frames 1/30 s apart are 33,333 or 33,334 microseconds apart, so that 24 of them are 0.8 s or a
microsecond more or less, depending on which 24. No camera has frames a millisecond apart."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970, exactly."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def is_at_most(span: int, seconds: float) -> bool:
    """Whether a span in microseconds is no longer than so many seconds, with a tolerance."""
    return span <= round(seconds * SECOND) + ROUNDING


def is_at_least(span: int, seconds: float) -> bool:
    """Whether a span in microseconds is no shorter than so many seconds, with a tolerance."""
    return span >= round(seconds * SECOND) - ROUNDING
