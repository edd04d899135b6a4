"""The required fields of a manifest row, and the messages about invalid rows."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import MAX_TIME_LISTED
from openlfr.operations.manifest import COLUMNS, read_manifest

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
GOOD = {
    "subject": "Ann Example",
    "image": "photos/ann.jpg",
    "category": "wanted",
    "legal_basis": "Order 1",
    "source": "passport",
    "captured_on": "2025-01-31",
    "enrolled_by": "Eve Enroller",
    "authorised_by": "Otto Officer",
    "expires": "2026-12-31",
}


@pytest.fixture
def read(tmp_path):
    def read_text(text: str | bytes):
        path = tmp_path / "manifest.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_manifest(path, {"wanted": MAX_TIME_LISTED, "missing": timedelta(days=365)}, NOW)

    return read_text


def line_of(separator=",", **changes):
    return separator.join((GOOD | changes)[name] for name in COLUMNS)


def table(*lines, separator=","):
    return "\n".join([separator.join(COLUMNS), *lines]) + "\n"


def test_reads_a_complete_row(read, tmp_path):
    manifest = read(table(line_of()))
    (row,) = manifest.rows
    assert (row.line, row.subject, row.category) == (2, "Ann Example", "wanted")
    assert Path(row.image) == tmp_path / "photos/ann.jpg"
    assert row.captured_on == date(2025, 1, 31)
    assert row.expires == datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert (manifest.refused, manifest.ignored_columns) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + table(line_of()).encode(),
        table(line_of()).replace("\n", "\r\n"),
        table(line_of(";"), separator=";"),
        table(line_of("\t"), separator="\t"),
        table(line_of()).replace("captured_on", "Captured On").replace("subject", " SUBJECT "),
        table("", ",,,,,,,,", line_of(), ""),
    ],
    ids=["byte order mark", "windows", "semicolons", "tabs", "header spelling", "empty lines"],
)
def test_files_written_by_spreadsheets_are_read(read, text):
    manifest = read(text)
    assert [row.subject for row in manifest.rows] == ["Ann Example"]
    assert manifest.refused == ()


def test_absolute_paths_quoted_values_and_names_of_any_script_are_unchanged(read):
    manifest = read(table(line_of(image="/photos/a.jpg", subject='"Šimić, Ana"')))
    assert (manifest.rows[0].image, manifest.rows[0].subject) == ("/photos/a.jpg", "Šimić, Ana")


@pytest.mark.parametrize(
    ("expires", "moment"),
    [
        ("2026-06-01T18:00", datetime(2026, 6, 1, 18, tzinfo=UTC)),
        ("2026-06-01T18:00:00+02:00", datetime(2026, 6, 1, 16, tzinfo=UTC)),
        ("2026-06-01 18:00Z", datetime(2026, 6, 1, 18, tzinfo=UTC)),
        ("2026-05-01", datetime(2026, 5, 1, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2029-05-01", datetime(2029, 5, 1, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_reads_when_an_entry_expires(read, expires, moment):
    assert read(table(line_of(expires=expires))).rows[0].expires == moment


@pytest.mark.parametrize("column", COLUMNS)
def test_every_field_is_required(read, column):
    manifest = read(table(line_of(**{column: "  "})))
    assert manifest.rows == ()
    assert manifest.refused[0].reason == f"line 2: {column} is empty, every field is required"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"category": "celebrity"}, "category is 'celebrity', expected one of wanted, missing"),
        ({"authorised_by": "eve  ENROLLER"}, "are both 'Eve Enroller', expected two different"),
        ({"authorised_by": "Eve-Enroller."}, "expected two different people"),
        ({"captured_on": "31.01.2025"}, "captured_on is '31.01.2025', expected a date like 2026"),
        (
            {"captured_on": "2025-02-30"},
            "is '2025-02-30', expected a day of the calendar",
        ),
        ({"captured_on": "2026-06-01"}, "expected a date that is not in the future"),
        ({"expires": "never"}, "expires is 'never', expected a date like 2026-12-31 or a moment"),
        ({"expires": "2026-04-30"}, "expires is 2026-04-30, expected a moment in the future"),
        ({"expires": "2026-05-01T12:00Z"}, "expected a moment in the future"),
        (
            {"expires": "2029-05-02"},
            "latest: the category 'wanted' is listed for 1096 days at most (enrolment.longest)",
        ),
        ({"expires": "2029-05-01T23:30-01:00"}, "expected 2029-05-01 at the latest"),
        (
            {"category": "missing", "expires": "2027-05-02T00:00Z"},
            "expected 2027-05-01 at the latest: the category 'missing' is listed for 365 days",
        ),
        ({"subject": "Ann\x1b[2J"}, "subject contains U+001B ESCAPE"),
        ({"source": "x" * 501}, "source has 501 characters, at most 500"),
    ],
)
def test_a_refusal_names_line_column_value_and_expected_form(read, changes, reason):
    manifest = read(table(line_of(), line_of(**changes)))
    (refused,) = manifest.refused
    assert len(manifest.rows) == 1
    assert refused.reason.startswith("line 3: ")
    assert reason in refused.reason
    assert "\x1b" not in refused.subject


def test_every_problem_of_a_row_is_reported_at_once(read):
    (refused,) = read(table(line_of(category="x", expires="soon", source=""))).refused
    for part in ("category is 'x'", "expires is 'soon'", "source is empty"):
        assert part in refused.reason


def test_line_numbers_include_line_breaks_in_values(read):
    broken = line_of(source='"two\nlines"', category="x")
    manifest = read(table(broken, line_of(category="x")))
    assert [row.reason.partition(":")[0] for row in manifest.refused] == ["line 2", "line 4"]


def test_refuses_a_row_with_more_or_fewer_values(read):
    manifest = read(table(line_of(subject="Example, Ann"), "Ann,photo.jpg"))
    assert "has 10 values where the header names 9" in manifest.refused[0].reason
    assert "has 2 values" in manifest.refused[1].reason


def test_unknown_columns_are_named(read):
    text = table(line_of()).replace("expires\n", "expires,remark\n").replace("31\n", "31,x\n")
    manifest = read(text)
    assert len(manifest.rows) == 1
    assert manifest.ignored_columns == ("remark",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", r"manifest.csv is empty"),
        (b"\n \n", "is empty: its first line names the columns subject,image"),
        ("subject,image\nAnn,a.jpg\n", "line 1: the columns category, legal_basis, source"),
        (table(line_of()).replace("expires", "expiry"), "the column expires is missing"),
        (table(line_of()).replace("source", "subject"), "missing"),
        (table(line_of(subject="Zo\u00eb")).encode("latin-1"), "not a text in UTF-8"),
        (table('"never closed'), "line 2: not a table"),
    ],
)
def test_a_file_that_is_no_manifest_is_bad_input(read, text, says):
    with pytest.raises(BadInput, match=says):
        read(text)


def test_a_file_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"nope\.csv does not exist"):
        read_manifest(tmp_path / "nope.csv", {"wanted": MAX_TIME_LISTED}, NOW)


SECOND = "second_authoriser,second_reason"


@pytest.mark.parametrize(
    ("second", "reason", "sentence"),
    [
        ("Carla Diaz", "they are twins", ""),
        ("", "", ""),
        ("Carla Diaz", "", "second_authoriser is given without second_reason"),
        ("", "twins", "second_reason is given without second_authoriser"),
        ("Eve Adams", "twins", "expected a third one"),
        ('"Brown, Otto"', "twins", "expected a third one"),
        ("?", "twins", "second_authoriser "),
    ],
)
def test_a_second_authoriser_is_a_third_person_with_a_reason(tmp_path, second, reason, sentence):
    (tmp_path / "m.csv").write_text(
        f"subject,image,category,legal_basis,source,captured_on,enrolled_by,authorised_by,expires,"
        f"{SECOND}\n"
        f"Ann,a.jpg,wanted,Order 1,passport,2025-01-02,Eve Adams,Otto Brown,2027-01-01,"
        f"{second},{reason}\n"
    )
    read = read_manifest(
        tmp_path / "m.csv", {"wanted": MAX_TIME_LISTED}, datetime(2026, 5, 1, 12, tzinfo=UTC)
    )
    assert read.ignored_columns == ()
    if sentence:
        assert sentence in read.refused[0].reason
    else:
        assert (read.rows[0].second_authoriser, read.rows[0].second_reason) == (second, reason)
