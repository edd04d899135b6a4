"""Ingest detects a camera that dies, hangs or is taken over, reconnects, and counts this."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from dev_servers.process import free_port
from film_cameras import FilmCameras, make_film
from tests.deployments import deployment

from awaiting import PATIENCE_S, await_that
from openlfr.adapters.capture.jpeg import decode_picture
from openlfr.adapters.redis.leases import CameraLeases, LeaseRequest
from openlfr.adapters.redis.lite import start_server
from openlfr.settings.cameras import Camera
from openlfr.simulate import frame_number
from openlfr.wire import codec
from openlfr_ingest.context import IngestContext
from openlfr_ingest.filming import Senders
from openlfr_ingest.leases import LeaseKeeper
from openlfr_ingest.supervision import CameraSupervisor

pytestmark = pytest.mark.service

HOUR = timedelta(hours=1)


class Sent:
    """A camera's messages, as they would reach Kafka."""

    def __init__(self, decode):
        self.decode, self.messages, self.came = decode, [], threading.Condition()

    def send(self, record, *, wait, stop, on_done=lambda _: None):
        with self.came:
            self.messages.append(self.decode(record.value))
            self.came.notify_all()
        on_done(True)
        return True

    def flush(self, timeout):
        pass

    def wait_for(self, condition):
        with self.came:
            found = self.came.wait_for(lambda: condition(self.messages), PATIENCE_S)
            assert found, self.messages[-3:]


class Rig:
    """Supervised cameras, with leases in a real Redis."""

    def __init__(self, client, *, starts=-HOUR, ends=HOUR, frozen_after_s=60.0):
        now = datetime.now(UTC)
        self.deployment = deployment(now + starts, now + ends)
        self.leases = CameraLeases(client, "Market", ttl=timedelta(seconds=30))
        self.watched = {}
        self.keeper = LeaseKeeper(
            self.leases, {}, room=9, on_lost=lambda camera: self.watched[camera].lose_lease()
        )
        self.sent, self.tallies = Sent(codec.decode_frame), Sent(codec.decode_tally)
        self.context = IngestContext(
            self.deployment, Senders(self.sent, self.tallies), self.keeper, epoch=5,
            frozen_after_s=frozen_after_s,
        )  # fmt: skip
        self.keeper.start()

    def film(self, name, url, **entry):
        self.watched[name] = made = CameraSupervisor(
            name, Camera(url=str(url), **entry), self.context
        )
        made.start()
        return made

    def close(self):
        for each in self.watched.values():
            each.stop()
        for each in self.watched.values():
            each.join()
        self.keeper.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("film") / "street.mp4")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = start_server(tmp_path_factory.mktemp("leases"))
    yield started
    started.close()


@pytest.fixture
def rig(server):
    server.client.flushdb()
    made = []

    def make(**how):
        made.append(Rig(server.client, **how))
        return made[-1]

    yield make
    for each in made:
        each.close()


def pictures(messages, epoch):
    return [frame for frame in messages if frame.epoch == epoch and not frame.ended]


def later(messages, epoch):
    """Return the pictures of later connections."""
    return [frame for frame in messages if frame.epoch > epoch and not frame.ended]


def test_a_killed_camera_is_reconnected_with_the_next_epoch(film, tmp_path, rig):
    rig = rig()
    port = free_port()  # no other process gets the free port
    with FilmCameras(tmp_path, f"gate={film}", port=port) as cameras:
        gate = rig.film("gate", cameras.urls["gate"])
        rig.sent.wait_for(lambda sent: len(pictures(sent, 5)) > 10)
        cameras.kill()
        rig.sent.wait_for(lambda sent: sent[-1].ended)
    with FilmCameras(tmp_path, f"gate={film}", port=port):
        rig.sent.wait_for(lambda sent: len(later(sent, 5)) > 5)
        gate.stop()
        gate.join()
    before, after = pictures(rig.sent.messages, 5), later(rig.sent.messages, 5)
    shown = [frame_number.read_number(decode_picture(frame.jpeg)) for frame in before[:5]]
    assert shown == [frame.seq for frame in before[:5]]  # no frame was discarded before the first
    assert [frame.seq for frame in before] == sorted({frame.seq for frame in before})
    assert after[0].seq == 0
    assert after[0].captured_at > before[-1].captured_at
    [end] = [frame for frame in rig.sent.messages if frame.ended]
    assert (end.epoch, end.seq) == (5, before[-1].seq + 1)
    counts = gate.counts
    assert (counts["connects"], counts["reconnects"], counts["frozen"]) == (2, 1, 0)
    assert counts["failures"] >= 1
    assert counts["sent"] == len(before) + len(after)
    tallies = rig.tallies.messages
    assert [(t.epoch, t.first_seq) for t in tallies] == [(5, 0), (after[0].epoch, 0)]
    assert len({frame.epoch for frame in after}) == 1
    assert not gate.problem


def test_a_hanging_camera_is_detected_and_reconnected(film, tmp_path, rig):
    rig = rig(frozen_after_s=3.0)
    with FilmCameras(tmp_path, f"gate={film}") as cameras:
        gate = rig.film("gate", cameras.urls["gate"])
        rig.sent.wait_for(lambda sent: len(pictures(sent, 5)) > 5)
        cameras.freeze()
        rig.sent.wait_for(lambda sent: sent[-1].ended)
        assert gate.counts["frozen"] >= 1  # a busy machine may freeze briefly
        cameras.thaw()
        rig.sent.wait_for(lambda sent: len(later(sent, 5)) > 5)
    assert gate.counts["reconnects"] >= 1


def test_a_camera_that_never_answers_does_not_hold_up_the_others(film, tmp_path, rig):
    rig = rig()
    with FilmCameras(tmp_path, f"gate={film}") as cameras:
        dead = rig.film("dead", cameras.urls["gate"].replace("/gate", "/nobody"))
        rig.film("gate", cameras.urls["gate"], fps=5)
        rig.sent.wait_for(lambda sent: len(pictures(sent, 5)) > 10)
        await_that("failures", lambda: dead.counts["failures"] >= 2, seen=dead.counts.copy)
        dead.stop()
        dead.join()
    assert {frame.camera for frame in rig.sent.messages} == {"gate"}
    assert "dead" in dead.problem
    gaps = [b.seq - a.seq for a, b in pairwise(rig.sent.messages)]
    assert sorted(gaps)[len(gaps) // 2] >= 4  # 5 of 20 a second, fewer where it is busy


def test_a_camera_with_a_lost_lease_is_not_filmed_until_a_new_lease(film, tmp_path, rig, server):
    rig = rig()
    with FilmCameras(tmp_path, f"gate={film}") as cameras:
        gate = rig.film("gate", cameras.urls["gate"])
        rig.sent.wait_for(lambda sent: len(pictures(sent, 5)) > 5)
        other = CameraLeases(server.client, "Market", ttl=timedelta(seconds=30))
        rig.leases.leave()  # as if we had been frozen for long
        other.heartbeat({}, [], room=9)
        assert other.acquire([LeaseRequest("gate", 8)])
        await_that("lost lease", lambda: gate.counts["leases_lost"], seen=gate.counts.copy)
        other.release("gate")
        rig.sent.wait_for(lambda sent: len(later(sent, 8)) > 5)
    assert not [frame for frame in rig.sent.messages if 5 < frame.epoch <= 8]
    assert not [frame for frame in rig.sent.messages if frame.epoch == 5 and frame.ended]


def test_outside_the_hours_no_camera_is_connected_to(film, tmp_path, rig):
    later = rig(starts=HOUR, ends=2 * HOUR)
    with FilmCameras(tmp_path, f"gate={film}") as cameras:
        waits = later.film("gate", cameras.urls["gate"])
        await_that("waiting", lambda: waits.counts["waits_for_hours"], seen=waits.counts.copy)
        over = rig(starts=-2 * HOUR, ends=-HOUR).film("yard", cameras.urls["gate"])
        await_that("end of hours", lambda: over.counts["hours_over"], seen=over.counts.copy)
        for each in (waits, over):
            each.stop()
            each.join()
        assert not cameras.sent()
    assert waits.counts["connects"] == over.counts["connects"] == 0
    assert later.sent.messages == []


def test_at_the_end_of_the_hours_a_camera_is_disconnected(film, tmp_path, rig):
    rig = rig()
    with FilmCameras(tmp_path, f"gate={film}") as cameras:
        gate = rig.film("gate", cameras.urls["gate"])
        rig.sent.wait_for(lambda sent: len(pictures(sent, 5)) > 5)
        ended = replace(rig.deployment.state, ends=datetime.now(UTC))
        rig.deployment.update(ended)
        gate.disconnect()
        await_that("end of hours", lambda: gate.counts["hours_over"], seen=gate.counts.copy)
        assert gate.outside_hours
        gate.stop()
        gate.join()
    assert rig.sent.messages[-1].ended
    assert all(f.captured_at < ended.ends for f in rig.sent.messages)
    assert gate.counts["reconnects"] == 0
