"""Ingest of a live camera whose deployment is paused, resumed and revised on control.v1."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import replace

import pytest
from dev_servers.control_feed import ControlFeed
from film_cameras import FilmCameras, make_film
from ingest_fleet import Frames, Ingest, write_config

from awaiting import await_that
from openlfr.cli import main
from openlfr.domain.deployment import DeploymentStatus

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

PAUSED, STARTED = DeploymentStatus.PAUSED, DeploymentStatus.STARTED
IN_FORCE_S = 2 + 28
"""A pause is in force after 2 s; no bar of a machine that lets each process wait for its turn."""


class Rig:
    """An ingest process over one RTSP camera, and the publisher of its deployment's state."""

    def __init__(self, folder, name, servers, camera, frames):
        services = {each: servers.url(each) for each in ("kafka", "redis")}
        lines = [f'"{name}": {{url: "{camera}", fps: 10}}']
        self.camera, self.frames = name, frames
        self.config = write_config(folder / "CONFIG.yaml", lines, name=name, services=services)
        assert main(["topics", "apply", "--config", str(self.config), "--wait", "240"]) == 0
        self.ingest = None

    def start(self):
        self.ingest = Ingest(self.config, 0)

    def await_that(self, what, condition):
        await_that(what, condition, seen=self.ingest.errors.read_text, alive=[self.ingest.process])

    def await_frames(self):
        """Wait for frames captured after this time."""
        began = time.time()
        self.await_that("frames", lambda: self.newest > began)

    @property
    def newest(self):
        """Return when Kafka received the newest frame, in seconds since 1970."""
        return self.frames.last.get(self.camera, 0)

    def ready(self):
        """Return the health page, whatever its status."""
        with suppress(OSError):
            url = f"http://127.0.0.1:{self.ingest.port}/health/ready"
            try:
                with urllib.request.urlopen(url, timeout=10) as got:
                    return json.loads(got.read())
            except urllib.error.HTTPError as refused:
                return json.loads(refused.read())
        return {}

    def status(self, status):
        line = f'openlfr_deployment{{status="{status}"}} 1.0'
        return line in self.ingest.page("/metrics")


@pytest.fixture
def rig(tmp_path, servers, kafka_broker):
    film = make_film(tmp_path / "film.mp4")
    name = f"paused-{time.monotonic_ns()}"
    with FilmCameras(tmp_path, f"gate={film}") as cameras, Frames(kafka_broker, [name]) as frames:
        made = Rig(tmp_path, name, servers, cameras.urls["gate"], frames)
        yield made
        if made.ingest is not None:
            made.ingest.end()


def test_a_pause_stops_a_live_camera_and_a_resume_or_revision_is_applied(rig):
    with ControlFeed(rig.config) as control:
        started = control.state
        rig.start()
        rig.await_frames()

        paused = control.put(status=PAUSED)
        rig.await_that("pause", lambda: rig.status("paused"))
        rig.await_that("note", lambda: "is paused since" in str(rig.ready().get("notes")))
        assert rig.ready()["ready"] is True
        late = rig.newest - paused.changed_at.timestamp()
        assert late <= IN_FORCE_S, late

        control.write(started)  # an old record, written again
        with ForgedFeed(rig.config) as forger:
            forger.write(replace(paused, version=99, status=STARTED))
        at_rest = rig.newest
        rig.await_that("refusals", lambda: refused(rig) >= {"older", "unreadable"})
        assert rig.status("paused")
        assert rig.newest == at_rest

        control.put(status=STARTED)
        rig.await_frames()
        control.put(cameras=("another",))
        left_out = 'event="not_of_deployment"} 1.0'
        rig.await_that("revision", lambda: left_out in rig.ingest.page("/metrics"))
        assert "not part of the recorded deployment" in str(rig.ready()["notes"])
        control.put(cameras=())
        rig.await_frames()


def test_nothing_is_filmed_before_the_deployment_s_state_is_known_or_while_it_is_paused(rig):
    rig.start()
    rig.await_that("doubt", lambda: "No heartbeat has arrived on control.v1" in str(rig.ready()))
    assert rig.ready()["ready"] is False
    with ControlFeed(rig.config, status=PAUSED) as control:
        rig.await_that("pause", lambda: rig.status("paused"))
        rig.await_that("readiness", lambda: rig.ready().get("ready"))
        assert rig.newest == 0
        control.put(status=STARTED)
        rig.await_frames()


class ForgedFeed(ControlFeed):
    """A publisher with the right to write to the topic but without its key."""

    def __init__(self, config):
        super().__init__(config)
        self._writer._key = bytes(32)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._writer.close()


def refused(rig):
    text = rig.ingest.page("/metrics")
    return {
        what
        for what in ("older", "unreadable")
        if any(
            line.startswith(f'openlfr_control_total{{what="{what}"}}') and not line.endswith(" 0.0")
            for line in text.splitlines()
        )
    }
