"""Reads the manifest of an import: a table of people to list, with authority and expiry."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from openlfr.domain.dates import DATE_FORM, parse_date, parse_moment
from openlfr.domain.errors import BadInput
from openlfr.domain.names import find_person_problem, find_subject_problem, is_same_person
from openlfr.domain.text import collapse_spaces, escape_text, find_text_problem
from openlfr.domain.watchlist import ManifestRow
from openlfr.operations.table import read_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

COLUMNS = (
    "subject",
    "image",
    "category",
    "legal_basis",
    "source",
    "captured_on",
    "enrolled_by",
    "authorised_by",
    "expires",
)
OPTIONAL = ("second_authoriser", "second_reason")
"""Person and reason that allow a picture which is already listed under another name."""
KNOWN = (*COLUMNS, *OPTIONAL)
_SHOWN = 60  # characters of a value in a sentence


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be imported, with all reasons.

    Attributes:
        line: Line in the manifest; the header is line 1.
        subject, image: Values of the row.
        reason: All reasons, as one sentence.
    """

    line: int
    subject: str
    image: str
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The rows of a manifest.

    Attributes:
        rows: Valid rows, whose pictures are not examined yet.
        refused: Invalid rows.
        ignored_columns: Unknown columns of the file.
    """

    rows: tuple[ManifestRow, ...]
    refused: tuple[RefusedRow, ...]
    ignored_columns: tuple[str, ...]


def read_manifest(path: Path, limits: Mapping[str, timedelta], now: datetime) -> Manifest:
    """Read a manifest: a table with a header, as spreadsheets write it (`table.read_table`).

    Every field of `COLUMNS` is required. Enroller and authoriser must be two different people, and
    a second authoriser (`OPTIONAL`) a third person. Image paths are relative to the manifest. If an
    expiry is a date, the entry expires at the end of that day, UTC; a time without an offset is
    UTC. Line breaks and every kind of space are read as a space.

    Args:
        path: The file.
        limits: Longest listing of each allowed category.
        now: UTC; the expiry must be later, and the photo's date must not be later.

    Raises:
        BadInput: The file cannot be read as such a table, or a column is missing.
    """
    table = list(read_table(path, lambda cells: len(set(COLUMNS).intersection(_header(cells)))))
    if not table:
        raise BadInput(f"{path} is empty: its first line names the columns {','.join(COLUMNS)}.")
    (first_line, first), *lines = table
    header = _header(first)
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadInput(
            f"{path} line {first_line}: {_plural('the column', missing)} {', '.join(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} missing; the columns are {','.join(COLUMNS)}."
        )
    twice = sorted({name for name in header if name in KNOWN and header.count(name) > 1})
    if twice:
        raise BadInput(
            f"{path} line {first_line}: the column {', '.join(twice)} is repeated; keep one."
        )
    rows: list[ManifestRow] = []
    refused: list[RefusedRow] = []
    for line, values in lines:
        row = _read_row(line, header, values, path.parent, limits, now)
        if isinstance(row, ManifestRow):
            rows.append(row)
        else:
            refused.append(row)
    ignored = tuple(name for name in header if name and name not in KNOWN)
    return Manifest(tuple(rows), tuple(refused), ignored)


def _read_row(
    line: int,
    header: Sequence[str],
    values: Sequence[str],
    folder: Path,
    limits: Mapping[str, timedelta],
    now: datetime,
) -> ManifestRow | RefusedRow:
    cells = list(values)
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()  # a spreadsheet's empty columns
    raw = dict(zip(header, cells, strict=False))
    subject, image = escape_text(raw.get("subject", "")), escape_text(raw.get("image", ""))
    if len(cells) != len(header):
        reason = (
            f"line {line}: has {len(cells)} values where the header names {len(header)} columns; "
            "put values that contain the separator in double quotes"
        )
        return RefusedRow(line, subject, image, reason)
    given = {name: raw[name] if name == "image" else collapse_spaces(raw[name]) for name in COLUMNS}
    given |= {name: collapse_spaces(raw.get(name, "")) for name in OPTIONAL}
    problems = list(_problems(given, limits))
    captured_on, problem = _read_captured_on(given["captured_on"], now)
    problems += [problem] if problem else []
    expires, problem = _read_expires(given["expires"], now)
    problem = problem or _too_late(given, expires, limits, now)
    problems += [problem] if problem else []
    if problems or captured_on is None or expires is None:
        reason = escape_text(f"line {line}: {'; '.join(problems)}")
        return RefusedRow(line, subject, image, reason)
    return ManifestRow(
        line=line,
        subject=given["subject"],
        image=str(folder / image),
        category=given["category"],
        legal_basis=given["legal_basis"],
        source=given["source"],
        captured_on=captured_on,
        enrolled_by=given["enrolled_by"],
        authorised_by=given["authorised_by"],
        expires=expires,
        second_authoriser=given["second_authoriser"],
        second_reason=given["second_reason"],
    )


_NAMES = {
    "subject": find_subject_problem,
    "enrolled_by": find_person_problem,
    "authorised_by": find_person_problem,
    "second_authoriser": find_person_problem,
}


def _problems(given: dict[str, str], categories: Collection[str]) -> Iterator[str]:
    for name in COLUMNS:
        if not given[name]:
            yield f"{name} is empty, every field is required"
        elif problem := _NAMES.get(name, find_text_problem)(given[name]):
            yield f"{name} {problem}"
    if given["category"] and given["category"] not in categories:
        yield f"category is {_short(given['category'])}, expected one of {', '.join(categories)}"
    enroller, authoriser = given["enrolled_by"], given["authorised_by"]
    if enroller and enroller.casefold() == authoriser.casefold():
        yield f"enrolled_by and authorised_by are both {enroller!r}, expected two different people"
    elif is_same_person(enroller, authoriser):
        yield (
            f"enrolled_by {enroller!r} and authorised_by {authoriser!r} can be one person, "
            "expected two different people"
        )
    yield from _problems_of_second(given)


def _problems_of_second(given: dict[str, str]) -> Iterator[str]:
    second, reason = (given[name] for name in OPTIONAL)
    for name in OPTIONAL:
        if given[name] and (problem := _NAMES.get(name, find_text_problem)(given[name])):
            yield f"{name} {problem}"
    if bool(second) != bool(reason):
        there, lacking = OPTIONAL if second else reversed(OPTIONAL)
        yield f"{there} is given without {lacking}; give both or neither"
    for name in ("enrolled_by", "authorised_by"):
        if second and is_same_person(second, given[name]):
            yield (
                f"second_authoriser {second!r} and {name} {given[name]!r} can be one person, "
                "expected a third one"
            )


def _read_captured_on(text: str, now: datetime) -> tuple[date | None, str]:
    """Return the date or a problem; neither for an empty field, which is already reported."""
    if not text:
        return None, ""
    try:
        found = parse_date(text)
    except ValueError as error:
        return None, f"captured_on is {_short(text)}, {error}"
    # Up to 14 hours ahead of UTC, the local date may be later than the date in UTC.
    if found > (now + timedelta(hours=14)).date():
        return None, f"captured_on is {text}, expected a date that is not in the future"
    return found, ""


def _read_expires(text: str, now: datetime) -> tuple[datetime | None, str]:
    if not text:
        return None, ""
    try:
        found = _end_of(text)
    except ValueError as error:
        return None, f"expires is {_short(text)}, {error}"
    if found <= now:
        return None, f"expires is {text}, expected a moment in the future"
    return found, ""


def _too_late(
    given: Mapping[str, str],
    expires: datetime | None,
    limits: Mapping[str, timedelta],
    now: datetime,
) -> str:
    """Describe an expiry beyond the longest listing of its category; else return ""."""
    limit = limits.get(given["category"])
    if expires is None or limit is None:
        return ""
    last = (now + limit).date()
    if expires.astimezone(UTC).date() <= last:
        return ""
    return (
        f"expires is {given['expires']}, expected {last} at the latest: the category "
        f"{given['category']!r} is listed for {limit.total_seconds() / 86400:g} days at most "
        "(enrolment.longest)"
    )


def _end_of(text: str) -> datetime:
    """Parse a time, or a date as the end of its day, UTC."""
    if len(text) > len("2026-12-31"):
        return parse_moment(text)
    try:
        return datetime.combine(parse_date(text), time.max, UTC)
    except ValueError as error:
        misspelt = str(error) == f"expected {DATE_FORM}"
        more = " or a moment like 2026-12-31T18:00+01:00" if misspelt else ""
        raise ValueError(f"{error}{more}") from None


def _plural(noun: str, things: Sequence[str]) -> str:
    return f"{noun}s" if len(things) > 1 else noun


def _header(cells: Sequence[str]) -> list[str]:
    plain = ["".join(c for c in cell if unicodedata.category(c) != "Cf") for cell in cells]
    names = [unicodedata.normalize("NFKC", cell).casefold().split() for cell in plain]
    header = ["_".join(words) for words in names]
    while header and not header[-1]:
        header.pop()
    return header


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
