"""Bins and sums of a run's figures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openlfr.domain.counts import CameraCounts, LossReason, NotSearchedReason, add_up
from openlfr.domain.scores import SCORE_BINS, SCORE_EDGES, score_bin


@pytest.mark.parametrize(
    ("score", "low"),
    [(-1.0, -0.2), (-0.2, -0.2), (0.0, 0.0), (0.359, 0.34), (0.36, 0.36), (0.4, 0.4), (1.0, 0.98)],
)
def test_a_score_falls_into_the_bin_that_begins_at_or_below_it(score: float, low: float) -> None:
    assert SCORE_EDGES[score_bin(score)] == low


def test_every_edge_begins_its_own_bin() -> None:
    assert [score_bin(edge) for edge in SCORE_EDGES[:-1]] == list(range(SCORE_BINS))


def test_cameras_add_up() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    scores = (1,) + (0,) * (SCORE_BINS - 1)
    one = CameraCounts(
        "one", frames_decoded=3, frames_analysed=2, frames_dropped_late=1, tracks_closed=4,
        tracks_searched=1,
        tracks_not_searched={NotSearchedReason.TOO_SMALL: 2, NotSearchedReason.TOO_POOR: 1},
        scores=scores, first_captured_at=late, last_captured_at=late,
    )  # fmt: skip
    two = CameraCounts(
        "two", frames_decoded=5, frames_analysed=5, tracks_closed=2, alerts_joined=7,
        tracks_begun=3, tracks_lost={LossReason.MOVED: 1}, tracks_matched=2,
        tracks_not_searched={NotSearchedReason.TOO_SMALL: 2},
        scores=scores, first_captured_at=early,
        last_captured_at=early,
    )  # fmt: skip
    total = add_up((one, two, CameraCounts("blind")))
    assert (total.frames_decoded, total.frames_analysed, total.tracks_closed) == (8, 7, 6)
    assert (total.frames_dropped_late, total.alerts_joined) == (1, 7)
    assert total.tracks_not_searched == {
        NotSearchedReason.TOO_SMALL: 4,
        NotSearchedReason.TOO_POOR: 1,
    }
    assert (total.tracks_lost, total.tracks_begun, total.tracks_matched) == (
        {LossReason.MOVED: 1},
        3,
        2,
    )
    assert total.scores[0] == 2
    assert (total.first_captured_at, total.last_captured_at) == (early, late)
