"""The manifest of an import: a table of who is to be listed, on whose authority and until when."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import ManifestRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
_MAX_CHARACTERS = 500
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be imported, and every reason for it.

    Attributes:
        line: In the manifest, from 1 (the header).
    """

    line: int
    subject: str
    image: str
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says.

    Attributes:
        rows: The complete and possible ones; whether their pictures are good is not known yet.
        refused: The others.
        ignored_columns: Columns of the file that an import does not know.
    """

    rows: tuple[ManifestRow, ...]
    refused: tuple[RefusedRow, ...]
    ignored_columns: tuple[str, ...]


def read_manifest(path: Path, categories: Sequence[str], now: datetime) -> Manifest:
    """Read a manifest: CSV with a header, separated by comma, semicolon or tab, in UTF-8.

    Every field of `COLUMNS` is required. Enroller and authoriser must be two people. Image
    paths are relative to the manifest. An expiry that is a date means the end of that day, UTC;
    a moment without an offset is UTC.

    Args:
        path: The file.
        categories: The allowed ones.
        now: UTC; expiry must be later and the photo not.

    Raises:
        BadInput: The file cannot be read as such a table, or lacks a column.
    """
    table = list(_read_table(path))
    if not table:
        raise BadInput(f"{path} is empty: its first line names the columns {','.join(COLUMNS)}.")
    (_, first), *lines = table
    header = [_fold(name).replace(" ", "_") for name in first]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadInput(
            f"{path} line 1: the column{'s' if len(missing) > 1 else ''} {', '.join(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} missing; the columns are {','.join(COLUMNS)}."
        )
    twice = sorted({name for name in header if name in COLUMNS and header.count(name) > 1})
    if twice:
        raise BadInput(f"{path} line 1: the column {', '.join(twice)} stands there twice.")
    rows: list[ManifestRow] = []
    refused: list[RefusedRow] = []
    for line, values in lines:
        row = _read_row(line, header, values, path.parent, categories, now)
        if isinstance(row, ManifestRow):
            rows.append(row)
        else:
            refused.append(row)
    ignored = tuple(name for name in header if name not in COLUMNS)
    return Manifest(tuple(rows), tuple(refused), ignored)


def _read_table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold something, each with the number at which it begins."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} is not a text in UTF-8 (byte {error.start}): save it as CSV UTF-8."
        ) from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield line, [value.strip() for value in values]
            line = reader.line_num + 1
    except csv.Error as error:
        sentence = f"{path} line {line}: not a table of comma-separated values ({error})."
        raise BadInput(sentence) from None


def _read_row(
    line: int,
    header: Sequence[str],
    values: Sequence[str],
    folder: Path,
    categories: Sequence[str],
    now: datetime,
) -> ManifestRow | RefusedRow:
    given = dict(zip(header, values, strict=False))
    subject, image = given.get("subject", ""), given.get("image", "")
    if len(values) != len(header):
        reason = (
            f"line {line}: has {len(values)} values where the header names {len(header)} columns; "
            "put values that hold the separator in double quotes"
        )
        return RefusedRow(line, _printable(subject), _printable(image), reason)
    problems = list(_problems(given, categories))
    captured_on, problem = _read_captured_on(given["captured_on"], now)
    problems += [problem] if problem else []
    expires, problem = _read_expires(given["expires"], now)
    problems += [problem] if problem else []
    if problems or captured_on is None or expires is None:
        reason = f"line {line}: {'; '.join(problems)}"
        return RefusedRow(line, _printable(subject), _printable(image), reason)
    return ManifestRow(
        line=line,
        subject=unicodedata.normalize("NFC", subject),
        image=str(folder / image),
        category=given["category"],
        legal_basis=given["legal_basis"],
        source=given["source"],
        captured_on=captured_on,
        enrolled_by=given["enrolled_by"],
        authorised_by=given["authorised_by"],
        expires=expires,
    )


def _problems(given: dict[str, str], categories: Sequence[str]) -> Iterator[str]:
    for name in COLUMNS:
        value = given[name]
        if not value:
            yield f"{name} is empty, every field is required"
        elif len(value) > _MAX_CHARACTERS:
            yield f"{name} has {len(value)} characters, at most {_MAX_CHARACTERS} are kept"
        elif _printable(value) != value:
            yield f"{name} holds characters that cannot be printed"
    if given["category"] and given["category"] not in categories:
        yield f"category is {given['category']!r}, expected one of {', '.join(categories)}"
    enroller, authoriser = _person(given["enrolled_by"]), _person(given["authorised_by"])
    if enroller and enroller == authoriser:
        yield (
            f"enrolled_by and authorised_by are both {given['enrolled_by']!r}, expected two "
            "different people"
        )


def _read_captured_on(text: str, now: datetime) -> tuple[date | None, str]:
    """The date, or what is wrong with it; nothing where the field is empty (said already)."""
    if not text:
        return None, ""
    found = _date_of(text)
    if found is None:
        return None, f"captured_on is {text!r}, expected a date like 2026-05-31"
    # Somewhere on earth it is tomorrow already.
    if found > (now + timedelta(hours=14)).date():
        return None, f"captured_on is {text}, expected a date that is not in the future"
    return found, ""


def _read_expires(text: str, now: datetime) -> tuple[datetime | None, str]:
    if not text:
        return None, ""
    day = _date_of(text)
    try:
        found = datetime.combine(day, time.max) if day else datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, (
            f"expires is {text!r}, expected a date like 2026-12-31 or a moment like "
            "2026-12-31T18:00+01:00"
        )
    if found <= now:
        return None, f"expires is {text}, expected a moment in the future"
    return found, ""


def _date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _person(name: str) -> str:
    """A name without case, spaces and punctuation: 'j. smith' is 'J Smith'."""
    return "".join(letter for letter in _fold(name) if letter.isalnum())


def _printable(text: str) -> str:
    """Without control characters, which could rewrite a terminal."""
    return "".join(letter for letter in text if letter.isprintable())
