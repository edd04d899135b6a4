"""Parses dates in one spelling and times in one spelling, so that they cannot be confused.

`datetime.fromisoformat` accepts `20281231`, `2028-W52` and `2028-12-31`. A person who writes
`20281231` or `2028-W52` as an expiry means the end of that day or week, but the function returns
its start.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999
"""Later dates are mistakes. Near the year 9999, the end of Python's calendar, the addition of an
hour or a time zone overflows."""
DATE_FORM: Final = "a date like 2026-12-31"
MOMENT_FORM: Final = "a date with a time like 2026-12-31T18:00+01:00 (without an offset it is UTC)"

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt]| +)(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)"
    r" ?(Z|z|[+-]\d{2}:?\d{2}(?::?\d{2})?)?",
    re.ASCII,
)


def parse_date(text: str) -> date:
    """Parse a date written as YYYY-MM-DD.

    Raises:
        ValueError: The text has another form; the message is the end of a sentence.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(f"expected {DATE_FORM}")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a day of the calendar, like 2026-12-31") from None
    return _check_year(day)


def parse_moment(text: str) -> datetime:
    """Parse a date with a time and convert it to UTC, which is the default without an offset.

    Raises:
        ValueError: The text has another form; the message is the end of a sentence.
    """
    match = _MOMENT.fullmatch(text)
    if not match:
        raise ValueError(f"expected {MOMENT_FORM}")
    day, clock, offset = match.groups()
    _check_year(parse_date(day))
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{(offset or 'Z').upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "expected a time from 00:00 to 23:59:59 and an offset below 24 hours"
        ) from None


def in_utc(moment: datetime) -> datetime:
    """Convert a time to UTC, which is the default without an offset.

    Raises:
        ValueError: The year is out of range; the message is the end of a sentence.
    """
    _check_year(moment.date())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _check_year(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}")
    return day
