"""Tallies in the records: each counted once, and their sums by camera."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.domain.baseline_openings import BaselineRef
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.faces import Quality
from openlfr.domain.measures import Measures
from openlfr.domain.scores import SCORE_BINS
from openlfr.domain.tallies import CameraTotals, Histograms, Reporter, Tally
from openlfr.domain.watching import UnwatchedReason


@pytest.fixture
def records(every_records):
    return every_records


NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def bins(**counts):
    """Return a histogram from counts by bin, such as b10=2."""
    found = {int(name[1:]): count for name, count in counts.items()}
    return tuple(found.get(number, 0) for number in range(SCORE_BINS))


def tally(camera="gate", first=0, **changes):
    values = {
        "deployment": "Market", "camera": camera, "epoch": 1, "reporter": Reporter.ANALYSIS,
        "first_seq": first, "last_seq": first + 99,
        "first_captured_at": NOW + timedelta(seconds=first / 10),
        "last_captured_at": NOW + timedelta(seconds=(first + 99) / 10),
        "frames_analysed": 100, "faces_detected": 40, "tracks_closed": 5,
        "tracks_not_searched": {NotSearchedReason.TOO_SMALL: 2},
        "scores": {1: bins(b10=1), 3: bins(b12=2)}, "sightings": 1,
    }  # fmt: skip
    return Tally(**values | changes)


def test_tallies_are_summed_by_the_hour_of_their_start(records):
    """The time zones of the caller and of the database have no effect."""
    early = NOW.replace(minute=59, second=55)
    records.tallies.record(
        [
            tally(frames_analysed=3),
            tally(first=100, first_captured_at=early, frames_analysed=4),
            tally(first=200, first_captured_at=early + timedelta(seconds=5), frames_analysed=5),
            tally("yard", first_captured_at=NOW.replace(hour=0), frames_analysed=6),
            tally(deployment="Station", frames_analysed=7),
        ],
        at=NOW,
    )
    found = records.tallies.by_hour("Market")
    assert [(each.camera, each.hour, each.frames_analysed) for each in found] == [
        ("gate", "2026-05-01T12", 7), ("gate", "2026-05-01T13", 5), ("yard", "2026-05-01T00", 6),
    ]  # fmt: skip
    for name in ("faces_detected", "sightings", "tracks_begun"):
        totals = sum(getattr(each, name) for each in records.tallies.totals("Market"))
        assert sum(getattr(each, name) for each in found) == totals
    assert records.tallies.by_hour("nowhere") == []


def test_a_repeated_tally_counts_once(records):
    assert records.tallies.record([tally(), tally(), tally(first=100)], at=NOW) == 2
    assert records.tallies.record([tally(frames_analysed=7)], at=NOW) == 0
    [gate] = records.tallies.totals("Market")
    assert gate.frames_analysed == 200


def test_totals_are_by_camera_over_both_reporters_and_of_one_deployment(records):
    sent_never = tally(
        reporter=Reporter.INGEST, first=50, frames_sampled_away=10, frames_dropped_late=2**40,
        frames_analysed=0, faces_detected=0, tracks_closed=0, tracks_not_searched={}, scores={},
        sightings=0,
    )  # fmt: skip
    short = {NotSearchedReason.TOO_SHORT: 1, NotSearchedReason.TOO_SMALL: 1}
    more = tally(first=100, tracks_not_searched=short, frames_discarded=3)
    records.tallies.record([tally(), sent_never, more, tally("yard", frames_unreadable=1)], at=NOW)
    records.tallies.record([tally(deployment="Station", frames_outside_hours=9)], at=NOW)
    gate, yard = records.tallies.totals("Market")
    assert gate == CameraTotals(
        camera="gate",
        first_captured_at=NOW,
        last_captured_at=more.last_captured_at,
        frames_sampled_away=10,
        frames_dropped_late=2**40,
        frames_discarded=3,
        frames_analysed=200,
        faces_detected=80,
        tracks_closed=10,
        tracks_searched=6,
        tracks_not_searched={NotSearchedReason.TOO_SMALL: 3, NotSearchedReason.TOO_SHORT: 1},
        sightings=2,
    )
    assert (yard.camera, yard.frames_unreadable, yard.frames_outside_hours) == ("yard", 1, 0)
    assert [each.frames_outside_hours for each in records.tallies.totals("Station")] == [9]
    assert records.tallies.totals("nowhere") == []


def test_scores_are_summed_by_quality(records):
    other = replace(tally("yard"), scores={3: bins(b12=1, b40=5), 4: bins(b59=1)})
    records.tallies.record([tally(), tally(first=100), other, tally(deployment="x")], at=NOW)
    assert records.tallies.histograms("Market").scores == {
        1: bins(b10=2), 3: bins(b12=5, b40=5), 4: bins(b59=1),
    }  # fmt: skip
    assert records.tallies.histograms("Market", "gate").scores == {1: bins(b10=2), 3: bins(b12=4)}
    assert records.tallies.histograms("nowhere") == Histograms()


def test_every_track_is_accounted_for_except_those_lost_with_a_worker(records):
    begun = tally(tracks_begun=9, tracks_matched=2)
    lost = {LossReason.MOVED: 1, LossReason.FAILED: 1}
    more = tally(first=100, tracks_begun=1, tracks_closed=4, tracks_lost=lost,
                 tracks_not_searched={}, scores={3: bins(b12=2)}, tracks_matched=1)  # fmt: skip
    records.tallies.record([begun, more], at=NOW)
    [gate] = records.tallies.totals("Market")
    assert gate.tracks_lost == lost
    assert gate.tracks_closed == gate.tracks_searched + 2 + sum(gate.tracks_lost.values())
    assert (gate.tracks_begun, gate.tracks_matched, gate.tracks_live) == (10, 3, 1)


def test_frames_of_a_pause_and_frames_outside_the_hours_are_counted_separately(records):
    paused = tally(
        frames_paused=4, frames_outside_hours=2, tracks_closed=4,
        tracks_lost={LossReason.PAUSED: 2},
        tracks_not_searched={}, scores={3: bins(b12=2)},
        unwatched_us={UnwatchedReason.PAUSED: 3_000_000, UnwatchedReason.OUTSIDE_HOURS: 5},
    )  # fmt: skip
    records.tallies.record([paused, replace(paused, first_seq=100, last_seq=199)], at=NOW)
    [gate] = records.tallies.totals("Market")
    assert (gate.frames_paused, gate.frames_outside_hours) == (8, 4)
    assert gate.tracks_lost == {LossReason.PAUSED: 4}
    assert gate.unwatched_us == {
        UnwatchedReason.PAUSED: 6_000_000,
        UnwatchedReason.OUTSIDE_HOURS: 10,
    }
    [hour] = records.tallies.by_hour("Market")
    assert (hour.frames_paused, hour.tracks_lost) == (8, {LossReason.PAUSED: 4})


def test_control_subjects_scores_measures_and_the_watched_time_are_summed_separately(records):
    face = Measures.from_face(Quality(50, eye_distance=22, sharpness=0.55, frontal=1, exposure=1))
    seen = tally(
        tracks_closed=6, tracks_control=1, tracks_matched_control=1, measures=face,
        fine_scores={40: 1, 45: 2}, control_scores={-4: 2, 200: 1}, baseline="b1",
        watched_us=9_000_000,
        unwatched_us={UnwatchedReason.LATE: 500_000, UnwatchedReason.NO_FRAMES: 1},
    )  # fmt: skip
    again = replace(
        seen,
        first_seq=100,
        last_seq=199,
        epoch=2,
        baseline="b2",
        fine_scores={45: 3},
        measures=face,
    )
    records.tallies.record([seen, again, tally("yard")], at=NOW)
    gate, yard = records.tallies.totals("Market")
    assert (gate.tracks_searched, gate.tracks_control, gate.tracks_matched_control) == (8, 2, 2)
    assert (gate.watched_us, yard.watched_us) == (18_000_000, 0)
    assert gate.unwatched_us == {UnwatchedReason.LATE: 1_000_000, UnwatchedReason.NO_FRAMES: 2}
    found = records.tallies.histograms("Market", "gate")
    assert (found.fine_scores, found.control_scores) == ({40: 1, 45: 5}, {-4: 4, 200: 2})
    assert found.measures == face + face
    assert found.measures.eye_distances[5] == 2
    assert records.tallies.histograms("Market", "gate", epoch=2).fine_scores == {45: 3}
    assert sum(found.coarse) == 6
    assert records.tallies.histograms("Market", "yard").measures == Measures()


def test_counts_and_histograms_are_summed_by_the_baseline_of_the_tallies(records):
    later = NOW + timedelta(hours=1)
    a, again, b = (
        BaselineRef("a" * 64, NOW),
        BaselineRef("a" * 64, later),
        BaselineRef("b" * 64, NOW),
    )
    tallies = [
        tally(first=number * 100, baseline=ref.baseline_id, baseline_since=ref.adopted_at, **more)
        for number, (ref, more) in enumerate(
            [(a, {}), (a, {"camera": "yard"}), (again, {}), (b, {"epoch": 2}), (BaselineRef(), {})]
        )
    ]
    records.tallies.record(tallies, at=NOW)
    found = records.tallies.by_baseline("Market")
    assert {ref: totals.tracks_searched for ref, (totals, _) in found.items()} == {
        a: 6, again: 3, b: 3, BaselineRef(): 3,
    }  # fmt: skip
    totals, histograms = found[a]
    assert histograms.coarse == bins(b10=2, b12=4)
    assert (totals.camera, totals.frames_analysed) == ("all cameras", 200)
    assert totals.last_captured_at == tallies[1].last_captured_at
    assert set(records.tallies.by_baseline("Market", epoch=2)) == {b}
    whole = records.tallies.totals("Market")
    for name in ("frames_analysed", "tracks_closed", "sightings"):
        parts = sum(getattr(totals, name) for totals, _ in found.values())
        assert parts == sum(getattr(each, name) for each in whole)


def test_a_recount_replaces_the_previous_counts(records):
    tallies = [tally(), tally(first=100), tally("yard", first=100), tally(first=100, epoch=2)]
    assert records.tallies.record(tallies, at=NOW) == 4
    records.tallies.discard_from("Market", 1, "gate", Reporter.ANALYSIS, 150)
    found = {each.camera: each.frames_analysed for each in records.tallies.totals("Market")}
    assert found == {"gate": 200, "yard": 100}
    assert records.tallies.record([tally(first=100)], at=NOW) == 1
