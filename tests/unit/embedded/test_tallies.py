"""A run's tallies: every frame and track is in one count, before and after a resume."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from openlfr.adapters.sql.records import Records
from openlfr.domain.analysis import Analysis, LostTrack, SearchedTrack, UnsearchedTrack
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.faces import Quality
from openlfr.domain.frames import Frame
from openlfr.domain.runs import Checkpoint, Run
from openlfr.domain.scores import score_bin
from openlfr.domain.watching import UnwatchedReason
from openlfr.embedded.feeds import Arrival, CameraEnd
from openlfr.embedded.tallies import RunTallies
from openlfr.operations.camera_counts import counts_from_records
from openlfr.testing import FrameSource

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RUN = Run("r1", "Market", "hash", START, 3)
INTERRUPTED = Analysis(closed_tracks=(LostTrack(camera="gate", reason=LossReason.INTERRUPTED),))
FACE = Quality(50, eye_distance=22, sharpness=0.55, frontal=1, exposure=0.9)


def frame(seq):
    image = np.zeros((36, 64, 3), np.uint8)
    return Frame("gate", RUN.epoch, seq, START + timedelta(seconds=seq / 10), image)


@pytest.fixture
def records(tmp_path):
    records = Records.open(f"sqlite:///{tmp_path}/openlfr.db")
    yield records
    records.close()


@pytest.fixture
def other(tmp_path):
    records = Records.open(f"sqlite:///{tmp_path}/whole.db")
    yield records
    records.close()


def tallies_of(records):
    return RunTallies(records, RUN, {"gate": FrameSource()})


def track(number):
    """What becomes of the track that ends at each tenth frame, in turn."""
    return (
        SearchedTrack(camera="gate", face=FACE, score=0.31, control_score=0.1, quality=50),
        SearchedTrack(camera="gate", face=FACE, score=0.2, control_score=0.6, quality=50,
                 is_matched=True, is_control=True),
        UnsearchedTrack(camera="gate", face=FACE, reason=NotSearchedReason.TOO_SMALL),
    )[number % 3]  # fmt: skip


def see(tallies, *seqs):
    for seq in seqs:
        each = frame(seq)
        tallies.count_arrival(Arrival(each, 0.0, 1, 0))  # one of the source sampled away before it
        if seq % 50 == 49:
            why = UnwatchedReason.PAUSED if seq % 100 == 49 else UnwatchedReason.OUTSIDE_HOURS
            tallies.count_skipped(each, why)
        elif seq % 25 == 24:
            tallies.count_late(each)
        else:
            tallies.begin_analysis(each)
            ended = (track(seq // 10),) if seq % 10 == 5 else ()
            faces = Analysis(faces=(2,), begun_cameras=("gate",) * len(ended), closed_tracks=ended)
            tallies.count_analysed(each, faces)
        tallies.record()


def finish(tallies):
    tallies.close_camera(CameraEnd("gate", "", 3, 2, 1), Analysis())
    tallies.close()


def recorded(records):
    return counts_from_records(records.tallies, "Market", ["gate"], (), epoch=RUN.epoch)["gate"]


def test_every_frame_and_track_is_in_one_count_and_the_records_agree(records):
    tallies = tallies_of(records)
    see(tallies, *range(600))
    tallies.count_dropped_tracks(INTERRUPTED)
    finish(tallies)
    counts = tallies.counts("gate")
    assert (counts.frames_analysed, counts.faces_detected) == (576, 1152)
    assert (counts.frames_sampled_away, counts.frames_unreadable) == (603, 2)
    assert (counts.frames_dropped_late, counts.frames_outside_hours) == (13, 6)
    assert counts.frames_paused == 6
    assert counts.frames_decoded == 576 + 603 + 2 + 13 + 12
    assert counts.tracks_lost == {LossReason.INTERRUPTED: 1}
    assert (counts.tracks_matched, counts.tracks_control) == (20, 20)
    assert counts.tracks_searched == 40 == sum(counts.scores) + counts.tracks_control
    assert counts.scores[score_bin(0.31)] == 20
    assert counts.tracks_not_searched == {NotSearchedReason.TOO_SMALL: 20}
    assert counts.watched_us == 59_800_000
    assert counts.frame_size == (64, 36)
    assert replace(recorded(records), frame_size=(64, 36)) == counts


def test_rows_lie_on_the_grid_of_a_city(records):
    tallies = tallies_of(records)
    see(tallies, *range(600))
    finish(tallies)
    with records._engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT first_seq, last_seq FROM tallies WHERE reporter = 'analysis' ORDER BY 1"
        ).all()
        ingest = connection.exec_driver_sql(
            "SELECT first_seq, last_seq FROM tallies WHERE reporter = 'ingest' ORDER BY 1"
        ).all()
    assert rows == [(0, 249), (250, 499), (500, 598)]
    assert [first for first, _ in ingest[1:]] == [last + 1 for _, last in ingest[:-1]]


@pytest.mark.parametrize(
    ("kept", "ended"),
    [
        (1, "interrupted"), (130, "killed"), (249, "interrupted"), (250, "killed"),
        (251, "interrupted"), (577, "killed"),
    ],
)  # fmt: skip
def test_a_resumed_run_counts_as_one_that_was_never_ended(records, other, kept, ended):
    """From the checkpoint before frame `kept`, though it had seen fifty more."""
    tallies = tallies_of(records)
    see(tallies, *range(kept))
    saved = json.loads(json.dumps(tallies.checkpoint("gate")))
    see(tallies, *range(kept, min(kept + 50, 600)))
    if ended == "interrupted":
        tallies.count_dropped_tracks(INTERRUPTED)
        tallies.close()
    again = tallies_of(records)
    again.resume(["gate"], {"gate": Checkpoint("gate", kept, saved)})
    see(again, *range(kept, 600))
    finish(again)
    assert replace(recorded(records), frame_size=(64, 36)) == again.counts("gate")
    whole = tallies_of(other)
    see(whole, *range(600))
    finish(whole)
    assert recorded(records) == recorded(other)


def test_a_camera_without_a_checkpoint_is_counted_from_its_beginning(records):
    tallies = tallies_of(records)
    see(tallies, *range(300))
    again = tallies_of(records)
    again.resume(["gate"], {})
    assert again.counts("gate").frames_analysed == 0
    see(again, *range(300))
    finish(again)
    assert recorded(records).frames_analysed == 288


def test_counts_in_the_checkpoint_of_an_earlier_version_are_retained(records):
    known = {
        "camera": "gate", "frames_analysed": 7, "faces_detected": 9, "tracks_searched": 2,
        "tracks_begun": 3, "tracks_not_searched": {"too_short": 1}, "scores": [2, *[0] * 59],
        "first_captured_at": START.isoformat(), "last_captured_at": START.isoformat(),
        "frame_size": [64, 36], "gone": 1,
    }  # fmt: skip
    for _ in range(2):  # and once only, however often it is resumed
        again = tallies_of(records)
        again.resume(["gate"], {"gate": Checkpoint("gate", 8, known)})
    assert again.counts("gate").frames_analysed == 7
    see(again, *range(8, 12))
    finish(again)
    counts = recorded(records)
    assert (counts.frames_analysed, counts.tracks_begun, counts.tracks_closed) == (11, 3, 3)
    assert (counts.tracks_searched, counts.scores[0]) == (2, 2)
    assert again.counts("gate").frame_size == (64, 36)


def test_an_unrecorded_tally_is_retried_and_already_displayed(records, monkeypatch):
    tallies = tallies_of(records)
    monkeypatch.setattr(records.tallies, "record", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        see(tallies, *range(300))
    assert tallies.counts("gate").frames_analysed > 90
    monkeypatch.undo()
    finish(tallies)
    assert recorded(records) == replace(tallies.counts("gate"), frame_size=(0, 0))
