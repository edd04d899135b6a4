"""`openlfr counts` shows the counts by camera and hour, of a city and of one process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from tests.sightings import sighting_of

from awaiting import await_that
from openlfr import bootstrap, settings
from openlfr.adapters.redis.lite import start_server
from openlfr.cli import main
from openlfr.domain.faces import Box
from openlfr.domain.tallies import Reporter, Tally

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONFIG = """\
data_dir: data
deployment: {{id: Market}}
cameras:
  gate: {{url: gate.mp4}}
  west 2: {{url: west.mp4}}
services: {services}
"""


@pytest.fixture
def redis(tmp_path):
    server = start_server(tmp_path / "redis")
    yield server
    server.close()


@pytest.fixture
def config(tmp_path, redis):
    path = tmp_path / "CONFIG.yaml"
    socket = redis.client.connection_pool.connection_kwargs["path"]
    path.write_text(CONFIG.format(services=f'{{redis: "unix://{socket}"}}'))
    return path


def tally(camera, at, first=0, *, reporter=Reporter.ANALYSIS, **counts):
    return Tally(
        deployment="Market", camera=camera, epoch=1, reporter=reporter, first_seq=first,
        last_seq=first + 249, first_captured_at=at, last_captured_at=at + timedelta(seconds=10),
        **counts,
    )  # fmt: skip


def fold(book, camera, at, subject="ann", seq=0):
    sighting = sighting_of(
        deployment="Market", camera=camera, epoch=1, seq=seq, subject=subject, watchlist="default",
        reference_id="r", captured_at=at, box=Box(0, 0, 9, 9), score=0.6, threshold=0.4, quality=50,
    )  # fmt: skip
    book.fold(sighting, window=timedelta(minutes=3))


@pytest.fixture
def alone(tmp_path):
    """A place of one process, without configured or running servers."""
    path = tmp_path / "CONFIG.yaml"
    path.write_text(CONFIG.format(services="{}"))
    return path


@pytest.fixture
def counted(config):
    """Record two cameras, two hours and four sightings, of which one joined."""
    count(settings.load(config))
    return config


@pytest.fixture
def counted_alone(alone):
    """Record the same counts in the data folder of one process."""
    count(settings.load(alone))
    return alone


def count(loaded):
    with (
        closing(bootstrap.open_records(loaded)) as records,
        closing(bootstrap.open_alert_book(loaded)) as book,
    ):
        records.tallies.record(
            [
                tally("gate", NOON, frames_analysed=200, frames_unreadable=2, faces_detected=90,
                      tracks_begun=6, sightings=2),
                tally("gate", NOON, reporter=Reporter.INGEST, frames_sampled_away=40,
                      frames_dropped_late=8),
                tally("gate", NOON + HOUR, 250, frames_analysed=100, tracks_begun=1, sightings=1),
                tally("west 2", NOON, frames_analysed=50, sightings=1),
            ],
            at=NOON,
        )  # fmt: skip
        for seq, (camera, at, subject) in enumerate((
            ("gate", NOON, "ann"),
            ("gate", NOON + timedelta(minutes=1), "ann"),
            ("gate", NOON + HOUR, "ann"),
            ("west 2", NOON, "bob"),
        )):  # fmt: skip
            fold(book, camera, at, subject, seq)


def run(capsys, *words):
    code = main(["counts", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("mode", ["counted", "counted_alone"])
def test_the_table_has_a_line_for_each_camera_and_hour_and_for_the_sums(request, mode, capsys):
    code, out, _ = run(capsys, "--config", request.getfixturevalue(mode))
    assert code == 0
    assert [re.split(r"  +", line) for line in out.splitlines()] == [
        ["CAMERA", "HOUR (UTC)", "FRAMES", "DROPPED", "FACES", "TRACKS", "SIGHTINGS", "JOINED",
         "ALERTS"],
        ["gate", "2026-11-23T12:00", "200", "10", "90", "6", "2", "1", "1"],
        ["gate", "2026-11-23T13:00", "100", "0", "0", "1", "1", "0", "1"],
        ["west 2", "2026-11-23T12:00", "50", "0", "0", "0", "1", "0", "1"],
        ["all", "350", "10", "90", "7", "4", "1", "3"],
    ]  # fmt: skip


def test_the_json_sums_equal_the_records(counted, capsys):
    code, out, _ = run(capsys, "--config", counted, "--json")
    assert code == 0
    found = json.loads(out)
    with closing(bootstrap.open_records(settings.load(counted))) as records:
        totals = {each.camera: each for each in records.tallies.totals("Market")}
    for row in found["cameras"]:
        total = totals.pop(row["camera"])
        assert row["frames"] == total.frames_analysed
        assert (row["faces"], row["tracks"]) == (total.faces_detected, total.tracks_begun)
        assert row["sightings"] == row["events"] == total.sightings
    assert totals == {}
    assert found["total"]["left_out"] == 40
    for name, number in found["total"].items():
        assert sum(row[name] for row in found["hours"]) == number
    assert found["hours"][0]["hour"] == "2026-11-23T12:00Z"


@pytest.mark.parametrize(
    ("words", "places"),
    [
        (["--hours", "1"], [("gate", "2026-11-23T13:00Z")]),
        (["--camera", "west 2"], [("west 2", "2026-11-23T12:00Z")]),
    ],
)
def test_a_selection_of_cameras_and_hours_is_counted(counted, capsys, words, places):
    _, out, _ = run(capsys, "--config", counted, "--json", *words)
    assert [(row["camera"], row["hour"]) for row in json.loads(out)["hours"]] == places


def test_sightings_in_transit_are_reported(counted, capsys):
    loaded = settings.load(counted)
    with closing(bootstrap.open_records(loaded)) as records:
        records.tallies.record([tally("gate", NOON, 500, sightings=3)], at=NOON)
    assert (
        "3 published sightings are in no alert yet, or are dead letters."
        in run(capsys, "--config", counted)[1]
    )
    with closing(bootstrap.open_alert_book(loaded)) as book:
        for number in range(5):
            fold(book, "gate", NOON, f"subject {number}")
    assert "2 sightings of alerts are in no tally yet." in run(capsys, "--config", counted)[1]


@pytest.mark.parametrize("mode", ["config", "alone"])
def test_empty_records_are_reported(request, mode, capsys, tmp_path):
    assert run(capsys, "--config", request.getfixturevalue(mode)) == (
        0, "There are no counts yet.\n", "",
    )  # fmt: skip
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("services", "words", "says"),
    [
        ("{redis: 'redis://127.0.0.1:1'}", ("--camera", "nobody"), "has no camera nobody"),
        ("{redis: 'redis://127.0.0.1:1'}", ("--hours", "0"), "0 is not in the range"),
    ],
)
def test_wrong_options_are_reported_in_one_sentence(tmp_path, capsys, services, words, says):
    path = tmp_path / "CONFIG.yaml"
    path.write_text(CONFIG.format(services=services))
    code, out, err = run(capsys, "--config", path, *words)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_watch_prints_new_counts_and_survives_a_lost_redis(counted, redis, tmp_path):
    out = tmp_path / "out.txt"
    words = [sys.executable, "-m", "openlfr", "counts", "--watch", "--total", "--config", counted]
    with out.open("w") as file, subprocess.Popen(words, stdout=file, stderr=file) as watching:
        try:
            await_that("a first table", lambda: "all" in out.read_text(), alive=[watching])
            loaded = settings.load(counted)
            with closing(bootstrap.open_alert_book(loaded)) as book:
                fold(book, "gate", NOON, "carl")
            await_that(
                "another", lambda: "are in no tally yet" in out.read_text(), alive=[watching],
                seen=out.read_text,
            )  # fmt: skip
            redis.close()
            await_that(
                "a sentence", lambda: "Redis" in out.read_text(), alive=[watching],
                seen=out.read_text,
            )  # fmt: skip
            watching.send_signal(2)
            assert watching.wait() == 0, out.read_text()
        finally:
            watching.kill()
