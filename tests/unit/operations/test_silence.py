"""What a quiet stretch excludes: the story's 4,600 faces."""

from __future__ import annotations

import pytest

from openlfr.operations.silence import excluded_passages, silence


@pytest.mark.parametrize(
    ("tracks", "tracks_per_walker", "one_sided", "two_sided"),
    [(4600, 1, 1536, 1247), (4600, 3, 512, 416), (1, 1, 1 / 0.95, 1 / 0.975)],
)
def test_the_bound_of_false_alerts(tracks, tracks_per_walker, one_sided, two_sided):
    result = silence(tracks, tracks_per_walker)
    assert 1 / result.one_sided == pytest.approx(one_sided, rel=1e-3)
    assert 1 / result.two_sided == pytest.approx(two_sided, rel=1e-3)


@pytest.mark.parametrize(
    ("lowest", "passages"), [(0.36, 9), (0.69, 4), (0.975, 1), (1.0, 1), (0.0, None)]
)
def test_the_possible_number_of_missed_listed_people_is_bounded(lowest, passages):
    assert excluded_passages(lowest) == passages


@pytest.mark.parametrize(("tracks", "k"), [(0, 1), (10, 0.5), (10, float("nan"))])
def test_without_tracks_there_is_no_bound(tracks, k):
    with pytest.raises(ValueError, match="are needed for a bound"):
        silence(tracks, k)
