"""A camera's counts: every frame and every track is in one of them, before and after a resume."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from openlfr.domain.analysis import Compared, Dropped, NotCompared
from openlfr.domain.frames import Frame
from openlfr.domain.scores import SCORE_EDGES
from openlfr.domain.summary import Lost, NotSearched
from openlfr.embedded.counts import Tally

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def tally():
    tally = Tally("gate")
    for n, faces in enumerate((2, 0, 3)):
        image = np.zeros((360, 640, 3), np.uint8)
        tally.analysed(Frame("gate", 1, n, START + timedelta(seconds=n), image), faces)
    tally.left_out(5, 2)
    tally.frames_dropped_late += 1
    tally.frames_outside_hours += 4
    for score, reason in (
        (0.41, None), (0.43, None), (-1.0, None), (1.0, None),
        (None, NotSearched.TOO_SHORT), (None, NotSearched.TOO_SHORT), (None, NotSearched.TOO_POOR),
    ):  # fmt: skip
        if reason is not None:
            tally.closed(NotCompared(camera="gate", reason=reason))
        else:
            tally.closed(Compared(camera="gate", score=score, quality=50, matched=score == 1.0))
    tally.closed(Dropped(camera="gate", why=Lost.INTERRUPTED))
    tally.tracks_begun += 8
    return tally


def test_every_frame_and_every_track_is_in_one_count(tally):
    counts = tally.counts()
    assert counts.frames_decoded == 15
    assert (counts.frames_analysed, counts.faces_detected) == (3, 5)
    assert (counts.frames_sampled_away, counts.frames_unreadable) == (5, 2)
    assert (counts.frames_dropped_late, counts.frames_outside_hours) == (1, 4)
    assert counts.tracks_begun == counts.tracks_closed == 8
    assert counts.tracks_lost == {Lost.INTERRUPTED: 1}
    assert (counts.tracks_matched, counts.tracks_live) == (1, 0)
    assert counts.tracks_searched == sum(counts.scores) == 4
    assert counts.tracks_not_searched == {NotSearched.TOO_SHORT: 2, NotSearched.TOO_POOR: 1}
    assert counts.first_captured_at == START
    assert counts.last_captured_at == START + timedelta(seconds=2)
    assert counts.frame_size == (640, 360)


def test_a_score_is_counted_between_the_edges_where_it_lies(tally):
    scores = tally.counts().scores
    bins = [(SCORE_EDGES[i], SCORE_EDGES[i + 1]) for i, n in enumerate(scores) if n]
    assert bins == [(-0.2, -0.18), (0.4, 0.42), (0.42, 0.44), (0.98, 1.0)]


def test_a_checkpoint_brings_back_an_equal_tally(tally):
    kept = json.loads(json.dumps(tally.to_json()))
    assert Tally.from_json(kept) == tally
    assert Tally.from_json(kept).counts() == tally.counts()
    fresh = Tally("door")
    assert Tally.from_json(json.loads(json.dumps(fresh.to_json()))) == fresh


def test_a_checkpoint_of_an_earlier_version_gives_what_it_knows():
    assert (
        Tally.from_json({"camera": "gate", "frames_analysed": 7, "gone": 1}).counts()
        == Tally("gate", frames_analysed=7).counts()
    )


def test_an_earlier_versions_checkpoint_knows_the_tracks_that_ended():
    old = {"camera": "gate", "tracks_searched": 3, "tracks_not_searched": {"too_short": 2}}
    counts = Tally.from_json(old).counts()
    assert (counts.tracks_begun, counts.tracks_closed, counts.tracks_live) == (5, 5, 0)
