"""Live processes share cameras evenly when one joins, dies, freezes or is disconnected.

Films of one frame a second serve as cameras, since only their distribution is tested.
"""

from __future__ import annotations

import signal
import time

import pytest
import redis
from film_cameras import make_film
from ingest_fleet import Fleet, Frames, write_config

from awaiting import PATIENCE_S, await_that
from openlfr.cli import main

pytestmark = [pytest.mark.service, pytest.mark.timeout(900)]

EACH = 60  # cameras of each of three processes
ALL = [f"c{number:03}" for number in range(3 * EACH)]
FEW = ALL[:12]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("film") / "street.mp4", frames=60, fps=1, key_each=1)


@pytest.fixture
def configure(tmp_path, film):
    """Return a function that writes a configuration of these cameras and creates the topics."""

    def write(servers, cameras, *, to="CONFIG.yaml", most=1000):
        lines = [f"{name}: {{url: {film}, loop: true}}" for name in cameras]
        services = {name: servers.url(name) for name in ("kafka", "redis")}
        path = write_config(tmp_path / to, lines, name=tmp_path.name, services=services, most=most)
        assert main(["topics", "apply", "--config", str(path), "--wait", "240"]) == 0
        return path

    return write


def is_even(fleet, cameras=ALL):
    held = fleet.held()
    return sum(held) == len(cameras) and max(held) - min(held) <= max(1, 0.1 * min(held))


def await_even(fleet, cameras=ALL, *, of):
    await_that(
        f"even share of {of}",
        lambda: len(fleet.running) == of and is_even(fleet, cameras),
        seen=fleet.story,
    )


def await_frames_since(fleet, frames, moment, cameras):
    await_that(
        "frames of each camera",
        lambda: all(frames.last.get(name, 0) > moment for name in cameras),
        seen=fleet.story,
    )


def test_three_processes_share_cameras_evenly_when_one_dies_or_joins(
    configure, servers, kafka_broker
):
    config = configure(servers, ALL)
    with Fleet() as fleet, Frames(kafka_broker, ALL) as frames:
        for _ in range(3):
            fleet.start(config)
        await_even(fleet, of=3)
        began = time.time()
        await_frames_since(fleet, frames, began, ALL)
        dead = fleet.running[0]
        its = dead.films
        if fleet.was_calm():
            assert 54 <= len(its) <= 66
            assert sum(len(each.films) for each in fleet.running) == len(ALL)  # each its own

        dead.end(signal.SIGKILL)
        died = time.time()
        await_frames_since(fleet, frames, died + 1, its)
        await_even(fleet, of=2)
        others = set(ALL) - its
        before = frames.epochs(others, since=began, until=died)
        if fleet.was_calm():
            assert frames.epochs(others, since=died) == before  # no other camera moves

        fleet.start(config)
        joined = time.time()
        await_even(fleet, of=3)
        await_frames_since(fleet, frames, time.time(), ALL)
        if fleet.was_calm():
            assert 50 <= len(frames.moved(since=joined)) <= 70  # exactly its share
        assert frames.twice() == []
        assert frames.longest_gap(ALL, since=joined) < PATIENCE_S


def test_a_frozen_process_loses_its_cameras_and_gets_its_share_when_it_is_back(
    configure, servers, kafka_broker
):
    config = configure(servers, FEW)
    with Fleet() as fleet, Frames(kafka_broker, FEW) as frames:
        frozen, _ = fleet.start(config), fleet.start(config)
        await_even(fleet, FEW, of=2)
        its = frozen.films
        await_frames_since(fleet, frames, time.time(), its)
        frozen.send(signal.SIGSTOP)
        await_frames_since(fleet, frames, time.time() + 2, its)
        frozen.send(signal.SIGCONT)
        await_that(
            "return", lambda: "leases_renewed_late" in frozen.errors.read_text(), seen=fleet.story
        )
        await_even(fleet, FEW, of=2)
        await_frames_since(fleet, frames, time.time() + 1, FEW)
        assert frames.twice() == []
        assert "lease_lost" in frozen.errors.read_text()


def test_while_redis_is_away_or_empty_all_processes_film_their_cameras(configure, own_servers):
    config = configure(own_servers, FEW)
    broker = own_servers.url("kafka").removeprefix("kafka://")
    with Fleet() as fleet, Frames(broker, FEW) as frames:
        for _ in range(3):
            fleet.start(config)
        await_even(fleet, FEW, of=3)
        await_frames_since(fleet, frames, time.time(), FEW)
        before, epochs = [each.films for each in fleet.running], frames.epochs(FEW)
        began = time.time()

        with redis.Redis.from_url(own_servers.url("redis")) as client:
            client.flushall()
        await_late_heartbeats(fleet, 1)
        start = own_servers.kill("redis", signal.SIGTERM)
        await_frames_since(fleet, frames, time.time() + 8, FEW)  # longer than a lease lasts
        start()
        await_late_heartbeats(fleet, 2)

        await_frames_since(fleet, frames, time.time() + 7, FEW)
        assert [each.films for each in fleet.running] == before
        assert frames.epochs(FEW, since=began) == {name: {max(epochs[name])} for name in FEW}


def await_late_heartbeats(fleet, number):
    """Wait until each process has counted this many failed or forgotten heartbeats."""
    for each in fleet.running:
        await_that(
            "return",
            lambda each=each: each.errors.read_text().count("leases_renewed_late") >= number,
            seen=fleet.story,
        )


def test_cameras_without_a_process_are_reported_everywhere(configure, servers):
    config = configure(servers, FEW, most=5)
    with Fleet() as fleet:
        one = fleet.start(config)
        short = {"configured": 12, "held": 5, "at_most": 5, "unheld": 7, "beyond_room": 7}
        await_that("shortage", lambda: one.cameras == short, seen=fleet.story)
        output = one.page("/health/ready")
        assert "true" in output
        assert "7 of 12 cameras are filmed by nobody" in output
        await_that(
            "log", lambda: "cameras_without_a_process" in one.errors.read_text(), seen=fleet.story
        )
        fleet.start(config)
        await_that("ten", lambda: sum(fleet.held()) == 10, seen=fleet.story)
        fleet.start(config)
        await_even(fleet, FEW, of=3)
        await_that("room", lambda: "notes" not in one.page("/health/ready"), seen=fleet.story)


def test_a_new_configuration_is_rolled_out_and_an_ending_process_hands_over(
    configure, servers, kafka_broker
):
    old = configure(servers, FEW[:9], to="old.yaml")
    new = configure(servers, FEW[3:], to="new.yaml")
    with Fleet() as fleet, Frames(kafka_broker, FEW) as frames:
        first = fleet.start(old)
        await_frames_since(fleet, frames, time.time(), FEW[:9])
        fleet.start(new)
        await_frames_since(fleet, frames, time.time(), FEW)  # of both processes, each camera once
        await_that("all", lambda: sum(fleet.held()) == len(FEW), seen=fleet.story)
        assert set(FEW[:3]) <= first.films
        ended = time.time()
        assert first.end(signal.SIGTERM) == 130, first.errors.read_text()
        await_frames_since(fleet, frames, ended + 1, FEW[3:])
        assert fleet.running[0].films == set(FEW[3:])
        assert frames.twice() == []
