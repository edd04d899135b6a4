"""Whatever happens to one camera stays with it: what is tried again, and what ends it or all."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from openlfr.adapters.capture.account import Account
from openlfr.adapters.capture.live import Backoff
from openlfr.adapters.redis_leases import Lease
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable
from openlfr.domain.frames import Frame, StartOrigin
from openlfr.settings.cameras import Camera
from openlfr_ingest import supervision
from openlfr_ingest.filming import Senders
from openlfr_ingest.supervision import Studio, Supervision

NOW = datetime.now(UTC)
DEPLOYMENT = SimpleNamespace(
    name="Market", starts=NOW - timedelta(hours=1), ends=NOW + timedelta(hours=1)
)


class Holding:
    """Leases that are always free; what is given may be an error instead."""

    def __init__(self, *errors):
        self.errors, self.epoch, self.held = list(errors), 0, set()

    def take(self, camera, *, epoch, stop):
        if self.errors:
            raise self.errors.pop(0)
        self.epoch += 1
        self.held.add(camera)
        return Lease(camera, self.epoch, "us")

    def give_back(self, camera):
        self.held.discard(camera)


class Sender:
    def __init__(self):
        self.records = []

    def send(self, record, *, wait, stop, on_done=lambda _: None):
        self.records.append(record)
        on_done(True)
        return True

    def flush(self, timeout):
        pass


class Source:
    """Gives a frame, then does what the test says."""

    fps, frame_count, start, start_origin = None, None, NOW, StartOrigin.CONFIGURED

    def __init__(self, epoch, then, *, live):
        self.epoch, self.then, self.live, self.account = epoch, then, live, Account()

    @property
    def problems(self):
        return tuple(self.account.problems)

    def frames(self):
        self.account.connects += 1
        yield Frame("gate", self.epoch, 0, NOW, np.zeros((8, 8, 3), np.uint8))
        if isinstance(self.then, Exception):
            raise self.then
        self.then()

    def close(self):
        pass


@pytest.fixture
def film(monkeypatch):
    """Films a camera whose sources do these things, one after the other, and waits for its end."""

    def do(*happens, url="rtsp://10.0.0.7/main", holding=None):
        live = url.startswith("rtsp")
        left = iter(happens)

        def open_source(camera, address, *, epoch, **_):
            then = next(left, None)
            if then is None:
                gate._stopped.set()
                return Source(epoch, lambda: None, live=live)
            if isinstance(then, tuple):
                raise then[0]
            return Source(epoch, then, live=live)

        monkeypatch.setattr(supervision, "open_source", open_source)
        holding = holding or Holding()
        studio = Studio(DEPLOYMENT, Senders(Sender(), Sender()), holding)
        gate = Supervision("gate", Camera.model_validate({"url": url}), studio)
        gate._backoff = Backoff(first_s=0.0, longest_s=0.0)
        thread = threading.Thread(target=gate._run)
        thread.start()
        thread.join()
        assert holding.held == set()
        return gate, holding.epoch

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
        ("rtsp://10.0.0.7/main", (Misconfigured("devices: Linux only"),), "devices: Linux only"),
    ],
)
def test_what_ends_one_camera_is_its_problem_alone(film, url, happens, problem):
    gate, epoch = film(happens, url=url)
    assert (gate.problem, gate.failure, epoch) == (problem, None, 1)


def test_a_file_of_which_a_frame_would_be_lost_ends_everything(film):
    gate, _ = film(Unavailable("Kafka does not take records"), url="/videos/a.mp4")
    assert str(gate.failure) == "Kafka does not take records"


def test_redis_must_answer_at_the_start_and_is_waited_for_later(film):
    gate, _ = film(holding=Holding(Unavailable("Redis is away")))
    assert str(gate.failure) == "Redis is away"

    holding = Holding()
    gate, epoch = film(
        lambda: holding.errors.append(Unavailable("Redis is away")), lambda: None, holding=holding
    )
    assert (gate.failure, epoch) == (None, 3)
