# ruff: noqa: RUF001 - digits of other scripts
"""Dates: two spellings are read, every other is refused with them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from openlfr.domain.dates import in_utc, parse_date, parse_moment

NOT_A_DATE = [
    "20281231", "2028-W52", "2028W52", "2028-W52-7", "2028-366", "2028366", "2028-12", "2028",
    "31.12.2028", "12/31/2028", "31/12/28", "2028/12/31", "2028.12.31", "2028-1-5", "28-12-31",
    "47118", "never", "", "tomorrow", "２０２８-１２-３１", "٢٠٢٨-١٢-٣١", "2028-12-31Z",
    "2028\u201112\u201131",
    "+2028-12-31", "-2028-12-31", "2028-12-31\n", " 2028-12-31", "2028-12-31T", "1" * 6000,
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_A_DATE)
@pytest.mark.parametrize("parse", [parse_date, parse_moment])
def test_any_other_spelling_is_refused_with_the_accepted_form(parse, text):
    with pytest.raises(ValueError, match=r"^expected a date (like|with a time like) 2026-12-31"):
        parse(text)


@pytest.mark.parametrize("text", ["2028-02-30", "2028-13-01", "2028-00-10", "2027-02-29"])
def test_a_day_that_is_not_in_the_calendar(text):
    with pytest.raises(ValueError, match=r"^expected a day of the calendar, like 2026-12-31$"):
        parse_date(text)


@pytest.mark.parametrize("text", ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"])
def test_an_implausible_year_is_refused(text):
    for parse, value in (
        (parse_date, text),
        (parse_moment, f"{text}T00:00+14:00"),
        (parse_moment, f"{text}T23:59:59-12:00"),
    ):
        with pytest.raises(ValueError, match=r"^expected a year from 1900 to 2999"):
            parse(value)


@pytest.mark.parametrize(
    "offset", [timezone(timedelta(hours=14)), timezone(-timedelta(hours=12)), None]
)
@pytest.mark.parametrize("year", [1, 9999])
def test_a_calendar_s_ends_do_not_overflow(year, offset):
    edge = datetime(year, 1, 1) if year == 1 else datetime(year, 12, 31, 23, 59)  # noqa: DTZ001
    with pytest.raises(ValueError, match="expected a year from"):
        in_utc(edge.replace(tzinfo=offset))


MOMENT = datetime(2028, 12, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2028-12-31T17:00", "2028-12-31 17:00", "2028-12-31T17:00Z", "2028-12-31t17:00z",
     "2028-12-31T17:00:00", "2028-12-31T17:00:00.000000", "2028-12-31T18:00+01:00",
     "2028-12-31T18:00+0100", "2028-12-31T18:00 +01:00", "2028-12-31  17:00",
     "2029-01-01T07:00+14:00"],
)  # fmt: skip
def test_reads_a_moment(text):
    assert parse_moment(text) == MOMENT


@pytest.mark.parametrize(
    "text",
    ["2028-12-31 24:00", "2028-12-31T23:59:60", "2028-12-31T25:00", "2028-12-31T18:00+99:00",
     "2028-12-31T18:00-24:00"],
)  # fmt: skip
def test_a_time_that_no_clock_shows(text):
    expected = "^expected a time from 00:00 to 23:59:59 and an offset below 24 hours$"
    with pytest.raises(ValueError, match=expected):
        parse_moment(text)


@pytest.mark.parametrize(
    "text",
    ["2028-12-31T18", "2028-12-31 18:00 CET", "2028-12-31T18:00+1", "2028-12-31T18.00",
     "2028-12-31T1800", "2028-12-31 6 pm", "2028-12-31T18:00:00,5"],
)  # fmt: skip
def test_refuses_another_time(text):
    with pytest.raises(ValueError, match="expected a date with a time like 2026-12-31T18:00"):
        parse_moment(text)


def test_reads_a_date():
    assert parse_date("2028-12-31") == date(2028, 12, 31)
