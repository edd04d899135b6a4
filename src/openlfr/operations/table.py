"""Reads a table from a spreadsheet: CSV with commas, semicolons or tabs, and any line ends."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput
from openlfr.domain.text import describe_character
from openlfr.files import MAX_TEXT_BYTES, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SEPARATORS = ",;\t|"
_EXCEL_LINE = re.compile(r'"?sep=([^\r\n"]?)"?[,;\t|]*(\r\n|\r|\n|$)', re.IGNORECASE)
"""A first line by Excel, which contains the separator and is no part of the table."""
_WIDE_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
"""Byte order marks; Excel's "Unicode Text" is UTF-16 with tabs."""


def read_table(path: Path, known: Callable[[list[str]], int]) -> Iterator[tuple[int, list[str]]]:
    """Yield the non-empty rows, with stripped cells and the number of their first line.

    Args:
        path: The file.
        known: Returns the number of known columns in a header; used to choose the separator.

    Raises:
        BadInput: The file cannot be read, or is not such a table.
    """
    text = _text(path)
    begin, separator = 1, ""
    if excel := _EXCEL_LINE.match(text):
        text, separator, begin = text[excel.end() :], excel[1], 2
    if not separator or not _columns(text, separator, known):
        separator = _separator(text, known)  # Excel's line and the table may disagree
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = begin
    try:
        for values in reader:
            stripped = [value.strip() for value in values]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + begin
    except csv.Error as error:
        sentence = f"{path} line {line}: not a table of comma-separated values ({error})."
        raise BadInput(sentence) from None


def _text(path: Path) -> str:
    content = read_file(path, max_bytes=MAX_TEXT_BYTES)
    encoding = next((name for mark, name in _WIDE_MARKS if content.startswith(mark)), "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{path} line {line} is not a text in UTF-8 (byte {error.start}): save it as CSV UTF-8."
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadInput(
            f"{path} line {line} contains {describe_character(chr(0))}: save it as CSV UTF-8."
        )
    return text


def _separator(text: str, known: Callable[[list[str]], int]) -> str:
    """Return the separator with the most known columns in the first line; a comma without any."""
    return max(_SEPARATORS, key=lambda separator: _columns(text, separator, known))


def _columns(text: str, separator: str, known: Callable[[list[str]], int]) -> int:
    """Count the known columns in the first line, split by a separator."""
    try:
        return known(next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), []))
    except (csv.Error, ValueError):  # ValueError: the character cannot separate, such as a quote
        return 0
