"""What becomes of a camera's frames between its source and Kafka."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame
from openlfr.wire import codec
from openlfr_ingest.filming import Filming

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEPLOYMENT = SimpleNamespace(name="Market", starts=NOON, ends=NOON + HOUR)
PICTURE = np.zeros((8, 8, 3), np.uint8)


class Source:
    """A file of so many frames."""

    live, fps, frame_count, unreadable, sampled_away = False, 10.0, None, 0, 0

    def __init__(self, frames, *, start=NOON, breaks_off=False, then=lambda: None):
        self.number, self.start, self.breaks_off, self.then = frames, start, breaks_off, then

    def frames(self):
        for seq in range(self.number):
            yield Frame("gate", 4, seq, self.start + timedelta(seconds=seq / 10), PICTURE)
        self.then()
        if self.breaks_off:
            raise BadInput("it breaks off")

    def close(self):
        pass


class Sender:
    """Kafka that takes everything."""

    def __init__(self):
        self.sent = []

    def send(self, record, *, wait, stop, on_done=lambda _: None):
        self.sent.append((codec.decode_frame(record.value), wait))
        on_done(True)
        return True


def film(source, stop=None):
    sender = Sender()
    filming = Filming(source, sender, DEPLOYMENT, loop=False, paced=False, lossless=False)
    filming.go(stop or threading.Event())
    return filming, sender.sent


def test_a_file_says_that_it_has_ended():
    filming, sent = film(Source(3))
    assert [(frame.seq, frame.ended, wait) for frame, wait in sent] == [
        (0, False, False), (1, False, False), (2, False, False), (3, True, True),
    ]  # fmt: skip
    end, last = sent[-1][0], sent[-2][0]
    assert (end.epoch, end.captured_at, end.jpeg) == (4, last.captured_at, b"")
    assert filming.counts["sent"] == 3


def test_a_file_that_breaks_off_has_ended_too():
    source, sender = Source(2, breaks_off=True), Sender()
    filming = Filming(source, sender, DEPLOYMENT, loop=False, paced=False, lossless=False)
    with pytest.raises(BadInput):
        filming.go(threading.Event())
    assert [frame.ended for frame, _ in sender.sent] == [False, False, True]


def test_a_camera_that_is_stopped_does_not_say_that_it_has_ended():
    stop = threading.Event()
    _, sent = film(Source(2, then=stop.set), stop)
    assert [frame.ended for frame, _ in sent] == [False, False]


def test_a_file_of_which_nothing_was_sent_has_nothing_to_end():
    filming, sent = film(Source(2, start=NOON - HOUR))
    assert sent == []
    assert filming.counts["outside_hours"] == 2
