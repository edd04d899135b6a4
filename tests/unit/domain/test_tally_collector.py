"""The counts of an analysis in its tallies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from openlfr.domain.analysis import Analysis, LostTrack, SearchedTrack, UnsearchedTrack
from openlfr.domain.baseline_openings import BaselineRef
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.faces import Quality
from openlfr.domain.frames import Frame
from openlfr.domain.scores import fine_bin
from openlfr.domain.tally_collector import TallyCollector
from openlfr.domain.watching import UnwatchedReason

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FACE = Quality(50, eye_distance=22, sharpness=0.55, frontal=1, exposure=0.9)


def frame(seq, epoch=1):
    image = np.zeros((9, 16, 3), np.uint8)
    return Frame("gate", epoch, seq, NOON + timedelta(seconds=seq / 10), image)


def looked(tallying, *seqs):
    for seq in seqs:
        tallying.record_arrival(frame(seq))
        tallying.record_analysed(frame(seq), 1)


def only(tallying):
    tallying.close_stretch("gate")
    (tally,) = tallying.take()
    return tally


@pytest.mark.parametrize(
    ("track", "strangers", "control", "counts"),
    [
        # A stranger, while control subjects walk about: in both histograms, each score its own.
        ({"score": 0.3, "control_score": 0.1}, 0.3, 0.1, (1, 0, 0, 0)),
        ({"score": 0.5, "is_matched": True}, 0.5, None, (1, 1, 0, 0)),
        # Taken for a control subject: in no stranger's histogram, whatever he scores there.
        (
            {"score": 0.3, "control_score": 0.6, "is_matched": True, "is_control": True},
            None,
            0.6,
            (1, 1, 1, 1),
        ),
        # Taken for both: the same.
        (
            {"score": 0.5, "control_score": 0.6, "is_matched": True, "is_control": True},
            None,
            0.6,
            (1, 1, 1, 1),
        ),
        # Nobody is listed but control subjects.
        ({"score": None, "control_score": 0.2}, None, 0.2, (1, 0, 1, 0)),
    ],
)
def test_the_histogram_of_a_track_depends_on_its_candidate(track, strangers, control, counts):
    tallying = TallyCollector("Market")
    looked(tallying, 0)
    searched = SearchedTrack(camera="gate", quality=50, **track)
    tallying.record_results(Analysis(closed_tracks=(searched,)))
    tally = only(tallying)
    assert tally.fine_scores == ({fine_bin(strangers): 1} if strangers is not None else {})
    assert tally.control_scores == ({fine_bin(control): 1} if control is not None else {})
    assert tally.tracks_scored == (strangers is not None)
    assert (
        tally.tracks_searched, tally.tracks_matched, tally.tracks_control,
        tally.tracks_matched_control,
    ) == counts  # fmt: skip


def test_every_track_has_its_measures_and_only_some_a_score():
    tallying = TallyCollector("Market")
    looked(tallying, 0)
    tallying.record_results(
        Analysis(
            closed_tracks=(
                SearchedTrack(camera="gate", face=FACE, score=0.3, quality=50),
                UnsearchedTrack(camera="gate", face=FACE, reason=NotSearchedReason.TOO_POOR),
                LostTrack(camera="gate", face=FACE, reason=LossReason.MOVED),
                LostTrack(camera="gate", reason=LossReason.FAILED),
            ),
            begun_cameras=("gate",) * 4,
        )
    )
    tally = only(tallying)
    assert tally.measures.eye_distances[5] == tally.measures.light[9] == 3
    assert (tally.tracks_begun, tally.tracks_closed, tally.tracks_searched) == (4, 4, 1)


def test_the_time_between_two_stretches_is_in_the_second():
    tallying = TallyCollector("Market")
    looked(tallying, 0, 100, 249, 250)
    first, second = *tallying.take(), only(tallying)
    assert (first.watched_us, first.unwatched_us) == (0, {UnwatchedReason.NO_FRAMES: 24_900_000})
    assert (second.watched_us, second.unwatched_us) == (100_000, {})


def test_a_tally_lies_within_one_baseline():
    tallying = TallyCollector("Market", BaselineRef("b1", NOON))
    looked(tallying, 0, 1)
    tallying.begin_baseline(BaselineRef("b2", NOON))
    looked(tallying, 2)
    first, second = *tallying.take(), only(tallying)
    assert [(each.baseline, each.first_seq, each.last_seq) for each in (first, second)] == [
        ("b1", 0, 1), ("b2", 2, 2),
    ]  # fmt: skip


def test_a_baseline_is_described_once_per_camera_and_again_after_a_drop():
    tallying, taken = TallyCollector("Market"), object()
    tallying.begin_baseline(BaselineRef("b1", NOON), taken)
    looked(tallying, 0, 250)
    tallying.discard("gate")  # its published description was lost
    looked(tallying, 250, 500)
    *_, last = first = [*tallying.take(), only(tallying)]
    assert [each.adoption for each in first] == [taken, taken, None]
    assert last.baseline == "b1"


def test_a_camera_that_is_counted_on_stays_in_its_baseline():
    before, after = (
        TallyCollector("Market", BaselineRef("b1", NOON)),
        TallyCollector("Market", BaselineRef("b1", NOON)),
    )
    looked(before, 0, 1)
    after.restore("gate", before.to_json("gate"))
    looked(after, 2)
    tally = only(after)
    assert (tally.first_seq, tally.last_seq) == (0, 2)
    assert (tally.baseline, tally.baseline_since) == ("b1", NOON)


def test_a_checkpoint_of_a_version_without_baselines_is_counted_on_apart():
    before, after = TallyCollector("Market"), TallyCollector("Market", BaselineRef("b1", NOON))
    looked(before, 0, 1)
    values = before.to_json("gate")
    del values["open"]["since"]
    after.restore("gate", values)
    looked(after, 2)
    first, second = *after.take(), only(after)
    assert [(each.baseline, each.first_seq, each.last_seq) for each in (first, second)] == [
        ("", 0, 1), ("b1", 2, 2),
    ]  # fmt: skip
