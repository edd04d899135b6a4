"""The order of frames in feeds, and the counts of skipped frames."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from openlfr.adapters.capture.counters import SourceCounters
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame
from openlfr.embedded.feeds import Arrival, CameraEnd, Feeds

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
IMAGE = np.zeros((2, 2, 3), np.uint8)


class ListedSource:
    """A source whose frames are listed: a number is one, 's' is sampled away, 'x' is unreadable,
    'o' is overtaken.

    What stands last may be an error that it raises.
    """

    is_live = False
    frame_count = None
    problems = ()
    start = START

    def __init__(self, camera, script, *, offset=0.0, every=0.1):
        self.camera, self.script, self.offset, self.every = camera, script, offset, every
        self.counters, self.yielded = SourceCounters(), 0
        self.closed = False

    def frames(self, *, first_seq=0):
        for seq, step in enumerate(self.script):
            if seq < first_seq:
                continue
            if isinstance(step, Exception):
                raise step
            self.counters.sampled_away += step == "s"
            self.counters.unreadable += step == "x"
            self.counters.overtaken += step == "o"
            if step == ".":
                self.yielded += 1
                at = START + timedelta(seconds=self.offset + seq * self.every)
                yield Frame(self.camera, 1, seq, at, IMAGE)

    def close(self):
        self.closed = True


def arrivals_of(*sources, paced=False, first_seq=0):
    feeds = Feeds(paced=paced, stop=threading.Event())
    for source in sources:
        feeds.start(source.camera, source, first_seq=first_seq)
    received = [arrival for arrival in feeds.arrivals() if arrival is not None]
    feeds.close()
    assert all(source.closed for source in sources)
    return received


def short(arrival):
    if isinstance(arrival, CameraEnd):
        return (arrival.camera, "ended")
    return (arrival.frame.camera, arrival.frame.seq)


@pytest.mark.parametrize("paced", [False, True])
def test_every_frame_arrives_before_the_end(paced):
    received = arrivals_of(ListedSource("gate", "." * 30, every=0.001), paced=paced)
    assert [short(a) for a in received] == [("gate", n) for n in range(30)] + [("gate", "ended")]


def test_a_film_is_due_as_it_was_filmed_pauses_included():
    class Paused(ListedSource):
        def frames(self, *, first_seq=0):
            for seq, after_s in enumerate((0, 0.01, 0.2, 0.21)):
                yield Frame(self.camera, 1, seq, START + timedelta(seconds=after_s), IMAGE)

    received = arrivals_of(Paused("gate", ""), paced=True)
    due = [arrival.due_at_s - received[0].due_at_s for arrival in received[:-1]]
    assert due == pytest.approx([0, 0.01, 0.2, 0.21])


def test_frames_of_files_always_arrive_in_the_order_of_their_capture():
    def run():
        gate = ListedSource("gate", "." * 20)
        door = ListedSource("door", "." * 10, offset=0.55)
        hall = ListedSource("hall", "..", offset=100)
        return [short(arrival) for arrival in arrivals_of(gate, door, hall)]

    received = run()
    frames = [one for one in received if one[1] != "ended"]
    offsets = {"gate": 0, "door": 0.55, "hall": 100}
    assert frames == sorted(frames, key=lambda one: offsets[one[0]] + one[1] / 10)
    assert len(frames) == 32
    assert all(run() == received for _ in range(5))


def test_skipped_frames_are_counted_with_the_next_frame_or_the_end():
    received = arrivals_of(ListedSource("gate", "s.ssx.xs.oo." + "sx"))
    counts = [(a.sampled_away, a.unreadable, a.overtaken) for a in received]
    assert counts == [(1, 0, 0), (2, 1, 0), (1, 1, 0), (0, 0, 2), (1, 1, 0)]


def test_a_resumed_camera_begins_where_it_was_left():
    received = arrivals_of(ListedSource("gate", "." * 10), first_seq=7)
    assert [short(a) for a in received] == [
        ("gate", 7),
        ("gate", 8),
        ("gate", 9),
        ("gate", "ended"),
    ]


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (BadInput("video.mp4 breaks off after frame 1"), "video.mp4 breaks off after frame 1"),
        (ValueError("odd"), "Camera gate failed: ValueError: odd"),
    ],
)
def test_a_failed_camera_reports_its_error_and_the_others_continue(error, problem):
    received = arrivals_of(
        ListedSource("gate", [".", ".", error]), ListedSource("door", "." * 20, offset=0.01)
    )
    ends = {a.camera: a.problem for a in received if isinstance(a, CameraEnd)}
    assert ends == {"gate": problem, "door": ""}
    assert sum(isinstance(a, Arrival) for a in received) == 22


def test_a_feed_waits_for_its_receiver_and_can_be_closed_while_it_does():
    source = ListedSource("gate", "." * 1000)
    feeds = Feeds(paced=False, stop=threading.Event(), room=3)
    feeds.start("gate", source)
    first = next(a for a in feeds.arrivals() if a is not None)
    feeds.close()
    assert first.frame.seq == 0
    assert source.closed
    assert source.yielded <= 1 + 3 + 1  # taken, waiting, in hand


def test_a_live_camera_that_is_silent_can_be_closed():
    class Silent(ListedSource):
        is_live = True

        def __init__(self, camera):
            super().__init__(camera, "")
            self.asked, self.woken = threading.Event(), threading.Event()

        def frames(self, *, first_seq=0):
            self.asked.set()
            self.woken.wait()
            yield from ()

        def close(self):
            super().close()
            self.woken.set()

    silent, feeds = Silent("live"), Feeds(paced=True, stop=threading.Event())
    feeds.start("live", silent)
    silent.asked.wait()
    feeds.close()
    assert silent.closed


def test_a_silent_live_camera_does_not_delay_a_file():
    class Silent(ListedSource):
        is_live = True
        let_go = threading.Event()

        def frames(self, *, first_seq=0):
            self.let_go.wait()
            yield from ()

    silent, feeds = Silent("live", ""), Feeds(paced=False, stop=threading.Event())
    feeds.start("live", silent)
    feeds.start("gate", ListedSource("gate", "..."))
    received = []
    for arrival in feeds.arrivals():
        if arrival is not None:
            received.append(short(arrival))
        if received[-1:] == [("gate", "ended")]:
            silent.let_go.set()
    assert received == [("gate", 0), ("gate", 1), ("gate", 2), ("gate", "ended"), ("live", "ended")]
