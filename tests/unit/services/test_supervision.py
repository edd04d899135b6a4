"""A failure of one camera stays with that camera: which ones are retried, and which end all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from tests.deployments import deployment

from openlfr.adapters.capture.live import Backoff
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable
from openlfr.domain.frames import Frame
from openlfr.settings.cameras import Camera
from openlfr.testing import FrameSource, Opener
from openlfr_ingest.context import IngestContext
from openlfr_ingest.filming import Senders
from openlfr_ingest.supervision import CameraSupervisor

NOW = datetime.now(UTC)
DEPLOYMENT = deployment(NOW - timedelta(hours=1), NOW + timedelta(hours=1))


class Keeper:
    """Leases that are always free; the epoch of a connection may be an error instead."""

    def __init__(self, *errors):
        self.errors, self.epoch, self.held = list(errors), 0, set()
        self.is_finished = False

    def acquire(self, camera, *, epoch, stop):
        self.held.add(camera)
        return True

    def next_epoch(self, camera):
        if self.errors:
            error = self.errors.pop(0)
            if error is None:
                self.held.discard(camera)
                return None
            raise error
        self.epoch += 1
        return self.epoch

    def release(self, camera, *, is_finished=False):
        self.held.discard(camera)
        self.is_finished = is_finished


class Sender:
    def __init__(self):
        self.records = []

    def send(self, record, *, wait, stop, on_done=lambda _: None):
        self.records.append(record)
        on_done(True)
        return True

    def flush(self, timeout):
        pass


@pytest.fixture
def film():
    """Films a camera whose sources do these things, one after the other, and waits for its end.

    What happens is done after a source's first frame; in a tuple it is raised by the opening.
    """

    def do(*happens, url="rtsp://10.0.0.7/main", keeper=None):
        live = url.startswith("rtsp")

        def source_of(happening):
            if isinstance(happening, tuple):
                return happening[0]

            def make(epoch):
                frame = Frame("gate", epoch, 0, NOW, np.zeros((8, 8, 3), np.uint8))
                return FrameSource([frame], live=live, start=NOW, then=happening)

            return make

        keeper = keeper or Keeper()
        context = IngestContext(
            DEPLOYMENT, Senders(Sender(), Sender()), keeper,
            open_source=Opener(*map(source_of, happens), source_of(lambda: gate.stop())),
            backoff=partial(Backoff, first_s=0.0, longest_s=0.0),
        )  # fmt: skip
        gate = CameraSupervisor("gate", Camera.model_validate({"url": url}), context)
        gate.start()
        gate.join()
        assert keeper.held == set()
        return gate, keeper.epoch

    return do


def test_a_live_camera_that_crashes_is_filmed_again(film):
    gate, epoch = film(ValueError("odd"), KeyError("odd"))
    assert (gate.counts["crashes"], epoch) == (2, 3)
    assert gate.failure is None


@pytest.mark.parametrize(
    ("url", "happens", "problem"),
    [
        ("/videos/a.mp4", BadInput("it breaks off"), "it breaks off"),
        ("/videos/a.mp4", (BadInput("it does not exist"),), "it does not exist"),
        ("/videos/a.mp4", ValueError("odd"), "Camera gate failed: ValueError: odd"),
        (
            "/videos/a.mp4",
            ValueError("rtsp://10.0.0.7/x?password=geheim"),
            "Camera gate failed: ValueError: rtsp://10.0.0.7",
        ),
        ("rtsp://10.0.0.7/main", (Misconfigured("devices: Linux only"),), "devices: Linux only"),
    ],
)
def test_the_failure_of_one_camera_is_only_its_problem(film, url, happens, problem):
    gate, epoch = film(happens, url=url)
    assert (gate.problem, gate.failure, epoch) == (problem, None, 1)


def test_a_file_that_would_lose_a_frame_ends_the_run(film):
    gate, _ = film(Unavailable("Kafka does not accept records"), url="/videos/a.mp4")
    assert str(gate.failure) == "Kafka does not accept records"


def test_without_redis_a_live_camera_waits_and_a_file_ends_the_run(film):
    keeper = Keeper(Unavailable("Redis is away"), Unavailable("Redis is away"))
    gate, epoch = film(lambda: None, keeper=keeper)
    assert (gate.failure, epoch) == (None, 2)
    gate, _ = film(url="/videos/a.mp4", keeper=Keeper(Unavailable("Redis is away")))
    assert str(gate.failure) == "Redis is away"


def test_a_lost_lease_is_acquired_again(film):
    gate, epoch = film(lambda: None, keeper=Keeper(None, None))
    assert (gate.problem, gate.failure, epoch) == ("", None, 2)


@pytest.mark.parametrize(
    ("happens", "is_finished"), [(lambda: None, True), (BadInput("broken"), False)]
)
def test_only_a_file_that_was_filmed_to_the_end_is_finished(film, happens, is_finished):
    keeper = Keeper()
    gate, _ = film(happens, url="/videos/a.mp4", keeper=keeper)
    assert (gate.ended, keeper.is_finished) == (is_finished, is_finished)
