"""Dates and moments as people write them: one spelling each, so that none is read as another.

`datetime.fromisoformat` takes `20281231`, `2028-W52` and `2028-12-31` alike, yet the first two are
a moment, the start of that day or week, where a person means its end.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999
"""What is later is nobody's date, and the calendar ends at 9999: an hour more, or a time zone, and
there is none."""
A_DATE: Final = "a date like 2026-12-31"
A_MOMENT: Final = "a date with a time like 2026-12-31T18:00+01:00 (without an offset it is UTC)"

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt]| +)(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)"
    r" ?(Z|z|[+-]\d{2}:?\d{2}(?::?\d{2})?)?",
    re.ASCII,
)


def parse_date(text: str) -> date:
    """A date, YYYY-MM-DD and nothing else.

    Raises:
        ValueError: Its text says what is expected, as the end of a sentence.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(f"expected {A_DATE}")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a day of the calendar, like 2026-12-31") from None
    return _within(found)


def parse_moment(text: str) -> datetime:
    """A date with a time, in UTC; without an offset it is UTC.

    Raises:
        ValueError: Its text says what is expected, as the end of a sentence.
    """
    match = _MOMENT.fullmatch(text)
    if not match:
        raise ValueError(f"expected {A_MOMENT}")
    day, clock, offset = match.groups()
    _within(parse_date(day))
    try:
        found = datetime.fromisoformat(f"{day}T{clock}{(offset or 'Z').upper()}")
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "expected a time from 00:00 to 23:59:59 and an offset below 24 hours"
        ) from None


def in_utc(moment: datetime) -> datetime:
    """A moment of any offset in UTC; without one it is UTC.

    Raises:
        ValueError: Its year is none that a person means; its text says what is expected.
    """
    _within(moment.date())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _within(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}")
    return day
