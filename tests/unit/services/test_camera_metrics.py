"""Metrics of cameras: since when one is silent, and which one waits for its deployment."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.deployments import deployment

from awaiting import PATIENCE_S, await_that
from openlfr.adapters.redis.leases import FleetView
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.sharing import Cost, Member
from openlfr.settings.cameras import Camera
from openlfr.testing import FrameSource
from openlfr_ingest import metrics as service_metrics
from openlfr_ingest.camera_share import CameraShare
from openlfr_ingest.context import IngestContext
from openlfr_ingest.filming import Senders

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
LAST = "openlfr_camera_last_frame_timestamp_seconds"
OUTSIDE = "openlfr_camera_outside_hours"


class Keeper:
    """A single process that has every lease."""

    member_id, joined_at_ms, is_view_trusted, may_take_over, silent_s = "us", 1, True, True, 0.0

    def __init__(self, *cameras, room=9):
        self.held = frozenset()
        self.view = FleetView((Member("us", room, dict.fromkeys(cameras, Cost(80))),), {}, {})

    def acquire(self, camera, *, epoch, stop):
        self.held |= {camera}
        return True

    def next_epoch(self, camera):
        return 1

    def release(self, camera, *, is_finished=False):
        self.held -= {camera}

    def withdraw(self, camera):
        pass


class Sender:
    def send(self, record, **_):
        return True

    def flush(self, timeout):
        pass


class SilentSource(FrameSource):
    """A source that yields nothing until it is closed, or ends."""

    def __init__(self, then=None, *, live=True):
        self.closed_event = threading.Event()
        waits = lambda: self.closed_event.wait(PATIENCE_S)  # noqa: E731
        super().__init__(live=live, start=NOW, then=waits if then is None else then)

    def close(self):
        self.closed_event.set()


class Rig:
    """One supervised camera, and what Prometheus reads of it."""

    def __init__(self, open_source, url, starts, ends):
        self.hours = deployment(NOW + starts, NOW + ends)
        keeper = Keeper("gate")
        context = IngestContext(
            self.hours, Senders(Sender(), Sender()), keeper, check_s=0.01, open_source=open_source
        )
        self.sharing = CameraShare({"gate": Camera.model_validate({"url": url})}, context)
        self.sharing.update()
        self.gate = self.sharing._supervisors["gate"]
        self.metrics = Metrics("ingest")
        service_metrics.register(self.metrics, self.sharing, keeper, room=9)

    def value_of(self, name):
        found = [
            float(line.rpartition(" ")[2])
            for line in self.metrics.text().decode().splitlines()
            if line.startswith(f'{name}{{camera="gate"}}')
        ]
        return found[0] if found else None

    def wait(self, condition):
        await_that("sign", condition, seen=self.metrics.text)


@pytest.fixture
def rig():
    @contextmanager
    def start(source, *, url="rtsp://10.0.0.7/main", starts=-HOUR, ends=HOUR):
        def open_source(*_, **__):
            if isinstance(source, Exception):
                raise source
            return source

        rig = Rig(open_source, url, starts, ends)
        try:
            yield rig
        finally:
            rig.sharing.stop()

    return start


def test_a_camera_without_a_frame_is_silent_since_its_first_frame_was_due(rig):
    before = time.time()
    with rig(SilentSource()) as found:
        found.wait(lambda: found.value_of(LAST))
        assert before <= found.value_of(LAST) <= time.time()
        assert found.value_of(OUTSIDE) == 0


def test_the_time_of_the_last_frame_is_retained_when_filming_begins_again(rig):
    with rig(SilentSource()) as found:
        found.wait(lambda: found.gate.status.session)
        first, at = found.gate.status.session, time.time() + 5
        first.last_sent_at = at
        found.gate.lose_lease()
        found.wait(lambda: found.gate.status.session is not first)
        assert found.value_of(LAST) == pytest.approx(at)


@pytest.mark.parametrize(("starts", "ends"), [(HOUR, 2 * HOUR), (-2 * HOUR, -HOUR)])
def test_outside_the_hours_no_camera_is_silent(rig, starts, ends):
    with rig(SilentSource(), starts=starts, ends=ends) as found:
        found.wait(lambda: found.value_of(OUTSIDE))
        assert found.value_of(LAST) is None


def test_after_the_hours_a_live_camera_waits_and_is_filmed_in_new_ones(rig):
    """A service that ended would be started again and again by whoever keeps services running."""
    with rig(SilentSource(), starts=-2 * HOUR, ends=-HOUR) as found:
        found.wait(lambda: found.gate.counts["hours_over"])
        assert not found.gate.is_over()
        found.hours.update(replace(found.hours.state, ends=NOW + HOUR, version=2))
        found.wait(lambda: found.value_of(LAST))
        assert found.gate.counts["hours_over"] == 1


@pytest.mark.parametrize(
    ("status", "waits"),
    [
        ("paused", "waits_while_paused"),
        ("stopped", "waits_while_paused"),
        (None, "waits_for_control"),
        ("other camera", "not_of_deployment"),
    ],
)
def test_a_pause_disconnects_a_live_camera_and_a_resume_connects_to_it_again(rig, status, waits):
    source = SilentSource()
    with rig(source) as found:
        found.wait(lambda: found.gate.status.session)
        started = found.hours.state
        if status == "other camera":
            found.hours.update(replace(started, cameras=("yard",)))
        else:
            found.hours.update(status and replace(started, status=DeploymentStatus(status)))
        found.sharing.disconnect_halted()
        assert source.closed_event.wait(PATIENCE_S)
        found.wait(lambda: found.gate.counts[waits])
        assert found.value_of(OUTSIDE) == 1
        assert found.value_of(LAST) is None
        source.closed_event.clear()
        found.hours.update(started)
        found.wait(lambda: found.value_of(LAST))
        assert found.gate.counts[waits] == 1


def test_an_ended_file_is_not_silent_but_a_broken_file_is(rig):
    for then, silent in ((lambda: None, False), (BadInput("it breaks off"), True)):
        with rig(SilentSource(then, live=False), url="/videos/a.mp4") as found:
            found.gate.join()
            found.sharing.update()
            assert found.sharing.is_over()
            assert (found.value_of(LAST) is not None) == silent


def test_cameras_of_other_processes_are_not_reported(rig):
    """Else each process would show every camera of the city."""
    with rig(SilentSource()) as found:
        found.wait(lambda: found.value_of(LAST))
        found.sharing._keeper.held = frozenset()
        assert b'camera="gate"' not in found.metrics.text()


def test_a_camera_that_can_never_be_filmed_stays_silent(rig):
    with rig(Misconfigured("devices: Linux only")) as found:
        found.gate.join()
        found.sharing.update()
        assert found.value_of(LAST) > 0
