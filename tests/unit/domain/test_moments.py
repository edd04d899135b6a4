"""Moments as whole microseconds."""

from datetime import UTC, datetime, timedelta

import pytest

from openlfr.domain.moments import is_at_least, is_at_most, microseconds


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
@pytest.mark.parametrize("fraction", [0, 1, 123_457, 999_999])
def test_differences_of_times_are_exact(year, fraction):
    moment = datetime(year, 6, 1, 12, tzinfo=UTC) + timedelta(microseconds=fraction)
    later = moment + timedelta(microseconds=600_000)
    assert microseconds(later) - microseconds(moment) == 600_000


@pytest.mark.parametrize(
    ("span", "longer", "shorter"),
    [
        (799_999, True, True),
        (800_000, True, True),
        (800_001, True, True),
        (840_000, False, True),
        (760_000, True, False),
    ],
)
def test_rounding_of_frame_times_changes_no_decision(span, longer, shorter):
    assert (is_at_most(span, 0.8), is_at_least(span, 0.8)) == (longer, shorter)
