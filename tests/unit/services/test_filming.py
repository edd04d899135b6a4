"""The outcome of a camera's frames between its source and Kafka."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.deployments import deployment

from awaiting import PATIENCE_S, await_that
from openlfr.adapters.capture.counters import SourceCounters
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.frames import Frame
from openlfr.wire import codec
from openlfr_ingest.filming import FilmingSession, Senders

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEPLOYMENT = deployment(NOON, NOON + HOUR)
PICTURE = np.zeros((8, 8, 3), np.uint8)


class Source:
    """A file with a number of frames."""

    is_live, fps, frame_count = False, 10.0, None

    def __init__(self, frames, *, start=NOON, breaks_off=False, then=lambda: None):
        self.number, self.start, self.breaks_off, self.then = frames, start, breaks_off, then
        self.counters = SourceCounters()

    def frames(self):
        for seq in range(self.number):
            yield Frame("gate", 4, seq, self.start + timedelta(seconds=seq / 10), PICTURE)
        self.then()
        if self.breaks_off:
            raise BadInput("it breaks off")

    def close(self):
        pass


class Sender:
    """Kafka, without room for frames in `no_room`, and refusing those in `not_taken`."""

    def __init__(self, decode=codec.decode_frame, *, no_room=(), not_taken=()):
        self.sent, self.decode = [], decode
        self.no_room, self.not_taken = no_room, not_taken

    def send(self, record, *, wait, stop, on_done=lambda _: None):
        message = self.decode(record.value)
        seq = getattr(message, "seq", None)
        if seq in self.no_room:
            return False
        self.sent.append((message, wait))
        on_done(seq not in self.not_taken)
        return True

    def flush(self, timeout):
        pass


class TallySender(Sender):
    """Kafka for tallies."""

    def __init__(self, *, away=0):
        super().__init__(codec.decode_tally)
        self.away = away

    def send(self, record, **how):
        self.away -= 1
        return self.away < 0 and super().send(record, **how)

    @property
    def figures(self):
        return [
            (t.first_seq, t.last_seq, t.frames_sampled_away, t.frames_dropped_late,
             t.frames_outside_hours, t.frames_unreadable)
            for t, _ in self.sent
        ]  # fmt: skip


def session_with(source, frames=None, tallies=None, **how):
    senders = Senders(frames or Sender(), tallies or TallySender())
    how = {"loop": False, "paced": False, "lossless": False} | how
    return FilmingSession("gate", source, senders, DEPLOYMENT, **how)


def film(source, stop=None, frames=None, tallies=None, **how):
    frames = frames or Sender()
    filming = session_with(source, frames, tallies, **how)
    filming.run(stop or threading.Event())
    return filming, frames.sent


def test_the_end_of_a_file_is_sent():
    filming, sent = film(Source(3))
    assert [(frame.seq, frame.ended, wait) for frame, wait in sent] == [
        (0, False, False), (1, False, False), (2, False, False), (3, True, True),
    ]  # fmt: skip
    end, last = sent[-1][0], sent[-2][0]
    assert (end.epoch, end.captured_at, end.jpeg) == (4, last.captured_at, b"")
    assert filming.counts["sent"] == 3


@pytest.mark.parametrize("status", ["paused", None])
def test_a_file_pauses_while_its_deployment_is_paused_and_loses_no_frame(status):
    in_force = deployment(NOON, NOON + HOUR)
    started = in_force.state
    paused = status and replace(started, status=DeploymentStatus(status), version=2)

    class Paused(Source):
        def frames(self):
            for frame in super().frames():
                if frame.seq == 2:
                    in_force.update(paused)
                yield frame

    sender = Sender()
    filming = FilmingSession(
        "gate",
        Paused(4),
        Senders(sender, TallySender()),
        in_force,
        loop=False,
        paced=True,
        lossless=True,
    )
    thread = threading.Thread(target=filming.run, args=(threading.Event(),))
    thread.start()
    await_that("the pause", lambda: filming.is_paused, seen=filming.counts.copy)
    assert [frame.seq for frame, _ in sender.sent] == [0, 1]
    in_force.update(replace(started, version=3))
    thread.join(PATIENCE_S)
    assert [frame.seq for frame, _ in sender.sent] == [0, 1, 2, 3, 4]  # and its end
    assert not filming.is_paused


def test_a_paused_live_camera_sends_no_frame_and_counts_them():
    in_force = deployment(NOON, NOON + HOUR, status=DeploymentStatus.PAUSED)
    source, sender, tallies = Source(3), Sender(), TallySender()
    source.is_live = True
    filming = FilmingSession(
        "gate", source, Senders(sender, tallies), in_force, loop=False, paced=False, lossless=False
    )
    filming.run(threading.Event())
    assert sender.sent == []
    assert filming.counts["paused"] == 3
    assert [(t.frames_paused, t.frames_outside_hours) for t, _ in tallies.sent] == [(3, 0)]


@pytest.mark.parametrize(("stopped", "lossless"), [(True, False), (True, True), (False, False)])
def test_a_file_that_goes_to_another_process_does_not_end_this_one_where_kafka_is_late(
    stopped, lossless
):
    """What Kafka did not take is counted as dropped; where nothing may be lost, it is a failure."""

    class Late(Sender):
        def flush(self, timeout):
            raise Unavailable("Kafka is late")

    stop = threading.Event()
    source = Source(2, then=stop.set if stopped else lambda: None)
    if stopped and not lossless:
        film(source, stop, frames=Late())
    else:
        with pytest.raises(Unavailable):
            film(source, stop, frames=Late(), lossless=lossless)


def test_the_end_of_a_broken_file_is_sent_too():
    source, sender = Source(2, breaks_off=True), Sender()
    filming = session_with(source, sender)
    with pytest.raises(BadInput):
        filming.run(threading.Event())
    assert [frame.ended for frame, _ in sender.sent] == [False, False, True]


def test_no_end_is_sent_for_a_stopped_camera():
    stop = threading.Event()
    _, sent = film(Source(2, then=stop.set), stop)
    assert [frame.ended for frame, _ in sent] == [False, False]


def test_no_end_is_sent_for_a_file_without_a_sent_frame():
    filming, sent = film(Source(2, start=NOON - HOUR))
    assert sent == []
    assert filming.counts["outside_hours"] == 2


@pytest.mark.parametrize(
    ("more", "paused", "outside"),
    [
        ({"status": DeploymentStatus.PAUSED}, 2, 0),
        ({"status": DeploymentStatus.CLOSED}, 2, 0),
        ({"cameras": ("yard",)}, 2, 0),
        ({"ends": NOON + timedelta(seconds=0.2)}, 0, 2),
    ],
)
def test_frames_skipped_in_a_pause_are_not_counted_as_outside_the_hours(more, paused, outside):
    in_force, tallies = deployment(NOON, NOON + HOUR), TallySender()

    class Street(Source):
        is_live = True

        def frames(self):
            for frame in super().frames():
                if frame.seq == 2:
                    in_force.update(replace(in_force.state, version=2, **more))
                yield frame

    filming = FilmingSession(
        "gate", Street(4), Senders(Sender(), tallies), in_force, loop=False, paced=False,
        lossless=False,
    )  # fmt: skip
    filming.run(threading.Event())
    [(tally, _)] = tallies.sent
    assert (tally.frames_paused, tally.frames_outside_hours) == (paused, outside)


class Live(Source):
    """A camera that is connected to several times; each connection has so many frames."""

    is_live = True

    def __init__(self, *connections, lost):
        super().__init__(0)
        self.connections, self.lost = connections, lost

    def frames(self):
        for epoch, seqs in enumerate(self.connections):
            self.counters.connects += 1
            for seq in seqs:
                at = NOON + timedelta(seconds=epoch * 60 + seq / 10)
                yield Frame("gate", epoch, seq, at, PICTURE)
            self.lost()


def film_live(*connections, frames=None, tallies=None):
    frames, stop = frames or Sender(), threading.Event()
    source = Live(*connections, lost=lambda: filming.end_epoch(stop))
    filming = session_with(source, frames, tallies)
    filming.run(stop)
    return filming, [(f.epoch, f.seq, f.ended, wait) for f, wait in frames.sent]


def test_the_end_of_a_connection_ends_its_epoch_without_waiting():
    filming, sent = film_live([0, 1], [0])
    assert sent == [
        (0, 0, False, False), (0, 1, False, False), (0, 2, True, False),
        (1, 0, False, False), (1, 1, True, False),
    ]  # fmt: skip
    counts = filming.counts
    assert (counts["connects"], counts["reconnects"], counts["sent"]) == (2, 1, 3)


def test_frames_without_room_or_rejected_by_kafka_are_dropped_and_tallied():
    tallies = TallySender()
    filming, _ = film(Source(5), frames=Sender(no_room={1}, not_taken={3}), tallies=tallies)
    assert (filming.counts["sent"], filming.counts["dropped"]) == (3, 2)
    assert tallies.figures == [(0, 4, 0, 2, 0, 0)]


def test_tallies_cover_every_frame_without_a_gap():
    """Every second frame is sampled away, one of them at the end, after the last that is sent."""

    class Sampled(Source):
        def frames(self):
            for frame in super().frames():
                if frame.seq % 2:
                    self.counters.sampled_away += 1
                else:
                    yield frame

    tallies = TallySender()
    film(Sampled(250), tallies=tallies)
    assert tallies.figures == [
        (0, 98, 49, 0, 0, 0),
        (99, 198, 50, 0, 0, 0),
        (199, 249, 26, 0, 0, 0),
    ]
    assert [t.reporter for t, _ in tallies.sent] == ["ingest"] * 3
    assert tallies.sent[1][0].first_captured_at == NOON + timedelta(seconds=10)


def test_a_tally_is_sent_when_a_connection_is_lost_and_each_epoch_begins_another():
    tallies = TallySender()
    film_live([2, 3], [0, 4], tallies=tallies)
    assert [(t.epoch, t.first_seq, t.last_seq) for t, _ in tallies.sent] == [(0, 0, 3), (1, 0, 4)]


def test_a_tally_that_cannot_be_sent_is_sent_later():
    tallies = TallySender(away=1)
    film(Source(101, start=NOON - HOUR), tallies=tallies)
    assert tallies.figures == [(0, 99, 0, 0, 100, 0), (100, 100, 0, 0, 1, 0)]


def test_a_frame_that_cannot_be_sent_is_counted_as_unreadable():
    class Huge(Source):
        def frames(self):
            yield Frame("gate", 4, 0, NOON, np.zeros((1, 70_000, 3), np.uint8))

    tallies = TallySender()
    filming, sent = film(Huge(1), tallies=tallies)
    assert sent == []
    assert filming.counts["unreadable"] == 1
    assert tallies.figures == [(0, 0, 0, 0, 0, 1)]


def test_a_file_that_is_late_catches_up():
    """Frames are due by their number, not one after the other."""
    waits = []

    class Stop(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)

    film(Source(3), Stop(), paced=True, first_frame_due=time.monotonic() - 3600)
    assert waits == [0.0, 0.0, 0.0]
    waits.clear()
    film(Source(3), Stop(), paced=True, first_frame_due=time.monotonic() + 3600)
    assert waits == pytest.approx([3600, 3600.1, 3600.2], abs=60)
