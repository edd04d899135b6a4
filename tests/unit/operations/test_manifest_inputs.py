# ruff: noqa: RUF001, E501 - letters that look alike; tables are wide
"""Manifests as spreadsheets and strangers write them: read, or refused by line, column and reason."""

from datetime import UTC, date, datetime

import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import MAX_TIME_LISTED
from openlfr.operations.manifest import COLUMNS, read_manifest

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROW = ("Ann Example", "a.jpg", "wanted", "Order 1", "passport", "2025-01-31", "Eve Enroller",
       "Otto Officer", "2026-12-31")  # fmt: skip
HEAD, LINE = ",".join(COLUMNS), ",".join(ROW)
PLAIN = f"{HEAD}\n{LINE}\n"


@pytest.fixture
def read(tmp_path):
    def read_bytes(content):
        path = tmp_path / "m.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_manifest(path, {"wanted": MAX_TIME_LISTED}, NOW)

    return read_bytes


def row(**changes):
    return f"{HEAD}\n" + ",".join(
        changes.get(name, value) for name, value in zip(COLUMNS, ROW, strict=True)
    )


SPREADSHEETS = {
    "excel's first line": "sep=;\n" + PLAIN.replace(",", ";"),
    "with a mark before it": "\ufeffsep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
    "in quotes": '"sep=,"\n' + PLAIN,
    "with empty cells": "SEP=,,,,,,,,,\n" + PLAIN,
    "of tabs": "sep=\t\n" + PLAIN.replace(",", "\t"),
    "of another sign": "sep=^\n" + PLAIN.replace(",", "^"),
    "bars": PLAIN.replace(",", "|"),
    "old mac line ends": PLAIN.replace("\n", "\r"),
    "no last line end": PLAIN.rstrip("\n"),
    "trailing commas": f"{HEAD},,,\n{LINE},,,\n",
    "trailing commas in the row alone": f"{HEAD}\n{LINE},,\n",
    "trailing commas in the header alone": f"{HEAD},,\n{LINE}\n",
    "empty columns far out": f"{HEAD}\n{LINE}{',' * 1000}\n",
    "utf-16 with tabs": PLAIN.replace(",", "\t").encode("utf-16"),
    "utf-16, the other way": "\ufeff".encode("utf-16-be") + PLAIN.encode("utf-16-be"),
    "utf-32": PLAIN.encode("utf-32"),
    "quoted throughout": "\n".join(
        ",".join(f'"{cell}"' for cell in cells) for cells in (COLUMNS, ROW)
    ),
    "semicolons, commas in a column's name": f'{HEAD.replace(",", ";")};"a,b,c,d,e,f,g,h,i,j"\n'
    f"{LINE.replace(',', ';')};x\n",
    "full-width header": PLAIN.replace("subject", "ｓｕｂｊｅｃｔ"),
    "another separator than its first line names": "sep=;\n" + PLAIN,
    "no separator named": "sep=\n" + PLAIN,
    "two marks before it": "\ufeff\ufeff" + PLAIN,
    "invisible characters in the header": PLAIN.replace("subject", "\u200bsubject\u200e"),
    "spaces around": PLAIN.replace(",", " , "),
}


@pytest.mark.parametrize("name", SPREADSHEETS)
def test_files_written_by_spreadsheets_are_read(read, name):
    manifest = read(SPREADSHEETS[name])
    (found,) = manifest.rows
    assert (found.subject, found.expires.date()) == ("Ann Example", date(2026, 12, 31))
    assert manifest.refused == ()


def test_counts_lines_after_excel_s_first_line(read):
    manifest = read(f"sep=,\n{HEAD}\n{LINE}\n{LINE.replace('wanted', 'x')}\n")
    assert [found.line for found in manifest.rows] == [3]
    assert manifest.refused[0].reason.startswith("line 4: ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"sep=;", "is empty: its first line names the columns"),
        ("sep=;\nsubject;image\n", "line 2: the columns category, legal_basis"),
        (f"{HEAD},subject\n{LINE},x\n", "line 1: the column subject is repeated; keep one"),
        (f"{HEAD},Subject \n{LINE},x\n", "line 1: the column subject is repeated; keep one"),
        (PLAIN.encode() + b"\0", "line 3 contains U\\+0000 NUL: save it as CSV UTF-8"),
        (PLAIN.encode("utf-16-le"), "line 1 contains U\\+0000 NUL"),
        (PLAIN.encode() + b"Jos\xe9", r"line 3 is not a text in UTF-8 \(byte \d+\): save it as"),
        (b"PK\x03\x04\x14\0\x06\0" + b"\x9c" * 50, "line 1 (is not a text in UTF-8|contains U)"),
        (b"\xff\xfe" + b"a", "is not a text"),
        (f'{HEAD}\n"{LINE}\n', "line 2: not a table of comma-separated values"),
        (f"{HEAD}\n{'x' * 200_000}\n", "line 2: not a table of comma-separated values"),
    ],
)
def test_a_file_that_is_no_table_is_reported_in_one_sentence(read, content, says):
    with pytest.raises(BadInput, match=says) as found:
        read(content)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
@pytest.mark.timeout(20)
def test_a_path_that_is_no_file_is_reported_in_one_sentence(tmp_path, kind):
    import os

    path = tmp_path / "m.csv"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(BadInput, match=f"m.csv is a {'pipe' if kind == 'fifo' else kind}, not a"):
        read_manifest(path, {"wanted": MAX_TIME_LISTED}, NOW)


ROWS = {
    "unprintable": ({"legal_basis": "Order\x07"}, "legal_basis contains U+0007 BELL"),
    "escape": ({"source": "\x1b]0;x\x07"}, "source contains U+001B ESCAPE"),
    "turned": ({"image": "a\u202egpj.exe"}, "image contains U+202E RIGHT-TO-LEFT OVERRIDE"),
    "enroller": ({"enrolled_by": "?"}, "enrolled_by contains U+003F QUESTION MARK, expected a person"),
    "initial": ({"enrolled_by": "E"}, "enrolled_by is 'E', expected a person's name: at least 2"),
    "emoji": ({"authorised_by": "\U0001f46e"}, "authorised_by contains U+1F46E POLICE OFFICER"),
    "mixed": ({"authorised_by": "Ev\u0435 Li"}, "mixes the letters of Cyrillic and Latin"),
    "order": ({"enrolled_by": '"Officer, Otto"'}, "can be one person, expected two different"),
    "title": ({"enrolled_by": "Supt. Otto Officer"}, "can be one person, expected two different"),
    "lookalike": ({"enrolled_by": "Сосо", "authorised_by": "Coco"}, "can be one person"),
    "compact": ({"expires": "20281231"}, "expires is '20281231', expected a date like 2026-12-31 or"),
    "week": ({"expires": "2028-W52"}, "expires is '2028-W52', expected a date like 2026-12-31 or a"),
    "month": ({"expires": "2028-12"}, "expires is '2028-12', expected a date like"),
    "german": ({"expires": "31.12.2028"}, "expires is '31.12.2028', expected a date like"),
    "no day": ({"expires": "2028-02-30"}, "expires is '2028-02-30', expected a day of the calendar, like 2026-12-31"),
    "no time": ({"expires": "2028-12-31 24:00"}, "expected a time from 00:00 to 23:59:59"),
    "blank letter": ({"subject": "\u3164"}, "subject contains U+3164 HANGUL FILLER"),
    "unseen": ({"authorised_by": "Eve Enroller\ufe0f"}, "authorised_by contains U+FE0F VARIATION SELECTOR-16"),
    "line break": ({"image": '"a\nb.jpg"'}, "image contains U+000A LINE BREAK"),
    "captured": ({"captured_on": "2025-W01"}, "captured_on is '2025-W01', expected a date like"),
    "captured then": ({"captured_on": "0001-01-01"}, "expected a year from 1900 to 2999"),
    "never": ({"expires": "9999-12-31"}, "expected a year from 1900 to 2999"),
    "overflow": ({"expires": "9999-12-31T23:59-10:00"}, "expected a year from 1900 to 2999"),
    "number": ({"expires": "1" * 6000}, "expires is '111"),
    "short": ({"expires": ""}, "expires is empty, every field is required"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_only_the_faulty_row_is_refused_with_its_reason(read, name):
    changes, says = ROWS[name]
    manifest = read(f"{row(**changes)}\n{LINE}\n")
    assert [found.subject for found in manifest.rows] == ["Ann Example"]
    (refused,) = manifest.refused
    assert refused.reason.startswith("line 2: ")
    assert says in refused.reason
    assert len(refused.reason) < 400
    assert refused.reason.isprintable()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Anna\u00a0Maria", "Anna Maria"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("Jose\u0301", "José"),
        ('"two\nlines"', "two lines"),
        ("O'Brien", "O'Brien"),
        ("=cmd()", "=cmd()"),
    ],
)
def test_takes_a_subject_in_any_letters(read, given, kept):
    (found,) = read(row(subject=given)).rows
    assert found.subject == kept


def test_unknown_columns_are_named_unless_they_are_empty(read):
    assert read(f"{HEAD},,remark,\n{LINE},,x,\n").ignored_columns == ("remark",)
