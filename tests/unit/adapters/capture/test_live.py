"""A live camera: its newest picture wins, it is connected to again, and all is counted."""

from __future__ import annotations

import queue
import threading
from datetime import UTC, datetime
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest

from openlfr.adapters.capture import connection
from openlfr.adapters.capture.live import Backoff, LiveCamera
from openlfr.adapters.capture.options import SourceOptions
from openlfr.adapters.capture.sampling import ClockSampling
from openlfr.adapters.capture.stream import CameraFrozen
from openlfr.domain.errors import Misconfigured, Unavailable

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OPTIONS = SourceOptions("gate", 7, NOON)


def picture(number):
    return av.VideoFrame.from_ndarray(np.full((4, 4, 3), number, np.uint8), format="bgr24")


class Stream:
    """A connection whose packets the test hands over: numbers, None for damage, errors."""

    fps, pixel_aspect = 25.0, Fraction(1)

    def __init__(self, *packets):
        self.coming = queue.Queue()
        self.read = threading.Semaphore(0)
        for packet in packets:
            self.coming.put(packet)

    def packets(self, closed):
        while True:
            packet = self.coming.get()
            if isinstance(packet, Exception):
                raise packet
            if packet == "end" or closed.is_set():
                return
            yield [] if packet == "nothing" else None if packet is None else [picture(packet)]
            self.read.release()  # whoever reads has come back: the packet is dealt with


def camera(*streams, **how):
    left = iter(streams)
    made = LiveCamera("rtsp://u:secret@10.0.0.7/main", how.pop("options", OPTIONS),
                      stream=lambda: next(left), **how)  # fmt: skip
    made._backoff = Backoff(first_s=0.0, longest_s=0.0)
    return made


def numbers(frames):
    return [(frame.epoch, frame.seq, int(frame.image[0, 0, 0])) for frame in frames]


def test_the_newest_picture_wins_and_the_others_are_counted():
    stream = Stream(0)
    source = camera(stream)
    frames = source.frames()
    first = next(frames)
    for packet in (1, None, 2, 3):
        stream.coming.put(packet)
    for _ in range(5):
        stream.read.acquire()
    assert numbers([first, next(frames)]) == [(7, 0, 0), (7, 3, 3)]
    counters = source.counters
    assert (counters.overtaken, counters.unreadable, counters.connects) == (2, 1, 1)
    assert (source.fps, source.is_live, source.frame_count) == (25.0, True, None)


def test_a_camera_is_reconnected_and_its_frame_numbers_continue():
    lost = []
    source = camera(
        Stream(0, CameraFrozen("it has sent nothing")), Stream(Unavailable("it does not answer")),
        Stream(1, "end"), Stream(2),
        on_connection_lost=lambda why, connected: lost.append((str(why), connected)),
    )  # fmt: skip
    assert numbers(islice(source.frames(), 3)) == [(7, 0, 0), (7, 1, 1), (7, 2, 2)]
    counters = source.counters
    assert (counters.connects, counters.failures, counters.frozen) == (3, 3, 1)
    assert lost == [
        ("it has sent nothing", True), ("it does not answer", False),
        ("camera gate: its stream ended", True),
    ]  # fmt: skip
    assert source.problems == (
        "it has sent nothing", "it does not answer", "camera gate: its stream ended",
    )  # fmt: skip


def test_each_connection_can_have_its_own_epoch():
    streams = Stream(0, "end"), Stream(Unavailable("away")), Stream(1, "end"), Stream(2)
    source = camera(*streams, next_epoch=lambda before: 20 + before)
    assert numbers(islice(source.frames(), 3)) == [(20, 0, 0), (21, 0, 1), (22, 0, 2)]


def test_a_connection_without_an_epoch_is_retried():
    epochs = iter([Unavailable("the lease is lost"), 3])

    def next_epoch(_):
        epoch = next(epochs)
        if isinstance(epoch, Exception):
            raise epoch
        return epoch

    source = camera(Stream(0), Stream(1), next_epoch=next_epoch)
    assert numbers(islice(source.frames(), 1)) == [(3, 0, 1)]


def test_a_camera_that_sends_and_never_a_picture_is_frozen():
    """Nor does one that hangs where no timeout of the library reaches."""
    source = camera(Stream(0, "nothing", None, "nothing"), Stream(1), frozen_after_s=0.5)
    assert numbers(islice(source.frames(), 2)) == [(7, 0, 0), (7, 1, 1)]
    counters = source.counters
    assert (counters.frozen, counters.unreadable) == (1, 1)
    assert "camera gate: no picture for 1.5 s" in source.problems


def test_without_reconnection_the_failure_is_raised():
    source = camera(Stream(0, CameraFrozen("it has sent nothing")), reconnect=False)
    with pytest.raises(CameraFrozen, match="has sent nothing"):
        list(source.frames())


def test_a_permanent_failure_is_not_retried():
    source = camera(Stream(Misconfigured("devices are supported on Linux only")))
    with pytest.raises(Misconfigured):
        list(source.frames())


def test_an_error_of_the_library_contains_no_password():
    source = camera(Stream(RuntimeError("rtsp://u:secret@10.0.0.7/main")), reconnect=False)
    with pytest.raises(Unavailable) as caught:
        list(source.frames())
    assert "secret" not in str(caught.value)


def test_a_bug_is_neither_reported_as_an_outage_nor_retried():
    source = camera(Stream(KeyError("number")))
    with pytest.raises(KeyError, match="number"):
        list(source.frames())


def test_closing_ends_the_wait_for_a_picture():
    source = camera(Stream(0))
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(source.frames()))
    thread.start()
    while source.counters.connects == 0:
        pass
    source.close()
    thread.join()
    assert numbers(seen) == [(7, 0, 0)]


def test_closing_ends_the_wait_for_another_connection():
    source = camera(Stream("end"))
    source._backoff = Backoff(first_s=3600.0, longest_s=3600.0)
    thread = threading.Thread(target=lambda: list(source.frames()))
    thread.start()
    while source.counters.failures == 0:
        pass
    source.close()
    thread.join()


@pytest.mark.parametrize(
    ("wanted", "arrivals", "taken"),
    [
        (None, [0, 0.1, 0.2], [0, 1, 2]),
        (5, [n / 10 for n in range(10)], [0, 2, 4, 6, 8]),
        (5, [0, 0.11, 0.19, 0.31, 0.39, 0.5, 0.59, 0.71, 0.8], [0, 2, 4, 6, 8]),  # early and late
        (5, [0, 0.2, 0.4, 0.6], [0, 1, 2, 3]),
        (50, [n / 10 for n in range(5)], [0, 1, 2, 3, 4]),  # more than the camera has
        (5, [0, 5, 5.01, 5.02, 5.2], [0, 1, 4]),  # a burst after a silence
    ],
)
def test_live_sampling_follows_the_clock(wanted, arrivals, taken):
    sampling = ClockSampling(wanted)
    assert [n for n, at in enumerate(arrivals) if sampling.should_analyse(at)] == taken


def test_sampled_away_pictures_are_counted():
    stream = Stream(0)
    source = camera(stream, options=SourceOptions("gate", 7, NOON, fps=0.001))
    frames = source.frames()
    next(frames)
    for packet in (1, 2, "end"):
        stream.coming.put(packet)
    stream.coming.put("end")
    source._reconnect = False
    with pytest.raises(Unavailable, match="ended"):
        next(frames)
    assert source.sampled_away == 2


def test_pauses_grow_to_a_bound_and_vary():
    backoff = Backoff(first_s=1.0, longest_s=4.0)
    pauses = [backoff.next_pause_s() for _ in range(6)]
    for pause, length in zip(pauses, [1, 2, 4, 4, 4, 4], strict=True):
        assert length / 2 <= pause <= length
    assert len(set(pauses)) > 1
    backoff.reset()
    assert backoff.next_pause_s() <= 1


def test_buffered_pictures_are_counted_as_late(monkeypatch):
    """The reader is late: their own times fall behind the clock."""
    clock = {"now": 100.0}
    monkeypatch.setattr(connection, "monotonic", lambda: clock["now"])

    class Timed(Stream):
        def packets(self, closed):
            for pictures in super().packets(closed):
                for each in pictures:
                    each.pts, each.time_base = int(each.to_ndarray()[0, 0, 0]), Fraction(1)
                yield pictures

    stream = Timed(0)
    source = camera(stream)
    frames = source.frames()
    next(frames)
    for second, now, behind in ((1, 101.0, 0.0), (2, 104.0, 2.0), (3, 107.5, 4.5), (8, 108.0, 0.0)):
        clock["now"] = now
        stream.coming.put(second)
        assert next(frames).seq
        assert source.counters.behind_s == pytest.approx(behind, abs=0.01)
    assert source.counters.late == 1
