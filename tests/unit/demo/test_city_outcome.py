"""What the demonstration counts: sightings against events, frames, latency, alerts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.sightings import sighting_of

from openlfr.adapters.capture.jpeg import encode_jpeg
from openlfr.demo.city.outcome import (
    Outage,
    Outcome,
    describe,
    measure_latency,
    select_undisturbed,
)
from openlfr.demo.city.reconciliation import FrameTotals, SightingTotals, count_frames, reconcile
from openlfr.demo.city.truth import FilmFrame, compare_live, read_numbers
from openlfr.domain.alert_records import RecordedEvent
from openlfr.domain.alerts import AlertEvent, EventKind
from openlfr.domain.faces import Box
from openlfr.domain.frames import EncodedFrame
from openlfr.domain.summary import KnownTruth
from openlfr.domain.tallies import CameraTotals
from openlfr.simulate import frame_number

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
CLEAN = SightingTotals(2, 0, 2, 0, 0, 0, 0, 0)
ONCE = ["a", "b"], [("a", "1"), ("b", "2")], [("a", "1"), ("b", "2")]


@pytest.mark.parametrize(
    ("published", "alerted", "recorded", "expected"),
    [
        (*ONCE, CLEAN),
        # At least once on the topics: repeated records are no second event.
        (["a", "b", "a", "a"], [*ONCE[1], ("a", "1")], ONCE[2], replace(CLEAN, repeated=2)),
        (["a", "b", "c"], *ONCE[1:], replace(CLEAN, published=3, lost=1)),
        (ONCE[0], [*ONCE[1], ("a", "9")], ONCE[2], replace(CLEAN, doubled=1)),
        (*ONCE[:2], [*ONCE[2], ("b", "9")], replace(CLEAN, doubled=1)),
        (["a"], *ONCE[1:], replace(CLEAN, published=1, unpublished=1)),
        (ONCE[0], [("a", "1")], ONCE[2], replace(CLEAN, untold=1)),
    ],
    ids=["clean", "repeated", "lost", "two alerts", "two rows", "unpublished", "untold"],
)
def test_sightings_are_set_against_events(published, alerted, recorded, expected) -> None:
    found = reconcile(published, alerted, recorded)
    assert found == expected
    assert found.is_clean == (not any((expected.lost, expected.doubled, expected.unpublished,
                                    expected.untold)))  # fmt: skip


def test_a_message_set_aside_is_not_clean() -> None:
    assert not reconcile(*ONCE, dead_letters=1).is_clean


def test_every_frame_sent_is_in_a_count_or_missing() -> None:
    totals = CameraTotals("gate", NOW, NOW, frames_analysed=90, frames_dropped_late=5)
    frames = count_frames("gate", 100, totals)
    assert (frames.dropped, frames.missing) == ({"too late": 5}, 5)
    assert count_frames("gate", 100, None).missing == 100


def event(seq: int, *, after_s: float = 0.5, at: datetime = NOW) -> RecordedEvent:
    sighting = sighting_of("City", "gate", 7, seq, "Ann", "default", "r", at, Box(10, 10, 50, 50),
                        0.6, 0.4, 50.0)  # fmt: skip
    alert = AlertEvent(EventKind.OPENED, f"e{seq}", "a", sighting)
    return RecordedEvent(alert, at + timedelta(seconds=after_s), None)


def test_latency_is_a_rank_of_what_was_recorded() -> None:
    found = measure_latency(event(n, after_s=n / 10) for n in range(1, 21))
    assert found is not None
    assert (found.alerts, found.p50, found.p95, found.longest) == (20, 1.0, 1.9, 2.0)
    assert measure_latency([]) is None


def test_alerts_that_waited_for_the_killed_worker_are_excluded_from_the_second_figure() -> None:
    killed, back = NOW + timedelta(seconds=10), NOW + timedelta(seconds=20)
    outage = Outage("analysis-0", 10.0, killed, 20.0, back)
    events = [event(n, at=NOW + timedelta(seconds=n)) for n in (5, 9.8, 12, 21)]
    calm = [each.event.sighting.seq for each in select_undisturbed(events, outage)]
    assert calm == [5, 21]
    assert len(select_undisturbed(events, None)) == 4
    never = replace(outage, ready_at=None, back_at=None)
    assert [each.event.sighting.seq for each in select_undisturbed(events, never)] == [5]


def picture(seq: int, number: int) -> EncodedFrame:
    image = np.full((96, 320, 3), 90, np.uint8)
    frame_number.burn_number(image, number)
    return EncodedFrame(deployment="City", camera="gate", epoch=7, seq=seq, frame_index=seq,
                        captured_at=NOW, time_assumed=False, width=320, height=96,
                        jpeg=encode_jpeg(image))  # fmt: skip


def test_a_frame_contains_its_number_in_the_film_and_the_round() -> None:
    frames = [picture(0, 0), picture(1, 1), picture(2, 3), picture(4, 1), picture(3, 0)]
    frames.append(replace(frames[0], seq=9, jpeg=b""))  # the end of an epoch
    shown = read_numbers(frames)
    assert [tuple(shown["gate", 7, seq]) for seq in range(5)] == [
        (0, 0),
        (0, 1),
        (0, 3),
        (1, 0),
        (1, 1),
    ]
    assert len(shown) == 5


@pytest.mark.parametrize(
    ("shown", "found", "wrong"),
    [
        ({("gate", 7, 50): FilmFrame(0, 3)}, 1, 0),
        ({("gate", 7, 50): FilmFrame(0, 9)}, 0, 1),  # nobody is there
        ({("gate", 7, 50): FilmFrame(1, 3)}, 0, 0),  # right, of a later round
        ({("gate", 7, 50): FilmFrame(1, 9)}, 0, 1),
        ({}, 0, 1),  # nobody knows what it shows
    ],
)
def test_an_alert_is_compared_with_the_frame_that_it_shows(
    tmp_path: Path, shown: dict[tuple[str, int, int], FilmFrame], found: int, wrong: int
) -> None:
    face = {"track": 0, "id": "Ann", "watch": True, "box": [10, 10, 50, 50]}
    (tmp_path / "frames.jsonl").write_text(json.dumps({"n": 3, "faces": [face]}))
    track = {
        "track": 0,
        "id": "Ann",
        "watch": True,
        "eligible": [2, 3, 4],
        "first": 2,
        "last": 4,
        "max_px": 53.5,
    }
    (tmp_path / "tracks.json").write_text(json.dumps({"tracks": [track]}))
    truth = compare_live({"gate": tmp_path}, [event(50).event], shown)
    assert (truth.passes, truth.found, truth.wrong) == (1, found, wrong)


def outcome(**more: object) -> Outcome:
    truth = KnownTruth(passes=4, found=4, strangers=9, wrong=0)
    values = {
        "truth": truth, "sightings": CLEAN, "frames": (FrameTotals("gate", 100, 98, {}),),
        "latency": None, "latency_undisturbed": None, "outage": None, "waited": 3, "rest_s": 4.0,
        "seconds": 60,
    }  # fmt: skip
    return Outcome(**(values | more))


def test_losses_and_failures_are_reported_and_the_outcome_is_not_clean() -> None:
    assert outcome().is_clean
    text = " ".join(describe(outcome()))
    assert "Found 4 of 4 listed passes; no false alert" in text
    assert "0 lost, 0 doubled." in text
    assert "kept up" in text
    lost = outcome(sightings=replace(CLEAN, lost=1))
    assert not lost.is_clean
    assert "1 lost" in " ".join(describe(lost))
    assert not outcome(problems=("The cameras did not send their films to the end.",)).is_clean


@pytest.mark.parametrize(
    ("passes", "found", "wrong", "clean"),
    [
        (4, 4, 0, True),
        (4, 3, 0, True),  # small faces may be missed, and are listed
        (4, 0, 0, False),
        (0, 0, 0, True),
        (4, 4, 1, False),
    ],
)
def test_a_false_alert_is_not_clean_and_a_missed_pass_is(
    passes: int, found: int, wrong: int, clean: bool
) -> None:
    truth = KnownTruth(passes=passes, found=found, strangers=9, wrong=wrong)
    assert outcome(truth=truth).is_clean is clean


def test_an_overloaded_machine_is_reported() -> None:
    text = " ".join(describe(outcome(waited=500, rest_s=40.0)))
    assert "did NOT keep up" in text
    assert "500 frames waited" in text
    text = " ".join(describe(outcome(rest_s=80.0)))
    assert "did NOT keep up" in text
    assert "analysed 80 s later" in text
    assert outcome(waited=500).is_clean  # slow is not wrong
