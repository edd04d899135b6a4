"""Films whose presentation times are wrong in places: what is right of them still counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import chain

import av
import numpy as np
import pytest

from openlfr.adapters.capture import open_source
from openlfr.adapters.capture.frame_times import FrameClock, TimeScale
from openlfr.adapters.capture.upcoming_times import UpcomingTimes

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
EVEN = [100 * n for n in range(60)]
WITH_B_FRAMES = {"g": "15", "bf": "3", "b_strategy": "0"}


@pytest.fixture
def make_odd_film(make_film, tmp_path):
    """Writes a film of 60 frames and 6 s; `change` takes number and milliseconds of a packet."""

    def make(name, change, **how):
        whole, odd = make_film("whole.mp4", at_ms=EVEN, **how), tmp_path / name
        with av.open(str(whole)) as source, av.open(str(odd), "w") as output:
            stream = source.streams.video[0]
            copy = output.add_stream_from_template(stream)
            for number, packet in enumerate(source.demux(stream)):
                if packet.size:
                    shown = change(number, round(packet.pts * packet.time_base * 1000))
                    packet.pts = round(Fraction(shown, 1000) / packet.time_base)
                    packet.stream = copy
                    output.mux(packet)
        return odd

    return make


def opened(path):
    return open_source("gate", str(path), epoch=0, start=START)


def played(path, **how):
    """Number, milliseconds and picture of each frame."""
    source = opened(path)
    frames = list(source.frames(**how))
    assert source.unreadable == 0
    pictures = [round((int(f.image.mean()) - 10) % 256 / 8) for f in frames]
    return [
        (f.seq, (f.captured_at - START) / timedelta(milliseconds=1), picture)
        for f, picture in zip(frames, pictures, strict=True)
    ]


@pytest.mark.parametrize("options", [{"bf": "0", "g": "15"}, WITH_B_FRAMES])
@pytest.mark.parametrize("name", ["odd.mp4", "odd.mov", "odd.ts"])
@pytest.mark.parametrize("wrong", [(23,), (20, 23), (57,)])
@pytest.mark.parametrize("off_ms", [40_000, 1_500])
def test_a_single_wrong_timestamp_shifts_no_other_frame(
    make_odd_film, options, name, wrong, off_ms
):
    path = make_odd_film(name, lambda n, ms: ms + off_ms * (n in wrong), options=options)
    whole = played(path)
    assert [seq for seq, _, _ in whole] == list(range(60))
    assert np.abs(np.subtract([ms for _, ms, _ in whole], EVEN)).max() <= 100
    for first in (1, 17, 22, 23, 24, 40, 58, 59):
        assert played(path, first_seq=first) == whole[first:]


@pytest.mark.parametrize("name", ["b.avi", "gaps.avi"])
def test_a_film_without_presentation_times_is_timed_by_its_decoding_times(make_film, name):
    gap = [*range(0, 2000, 100), *range(12_000, 16_000, 100)]
    at_ms = gap if name == "gaps.avi" else EVEN
    whole = played(make_film(name, at_ms=at_ms, options=WITH_B_FRAMES))
    assert np.abs(np.subtract([ms for _, ms, _ in whole][:-3], at_ms[:-3])).max() <= 1
    assert [seq for seq, _, _ in whole] == list(range(60))


@pytest.mark.parametrize("first", [1, 20, 21, 59])
@pytest.mark.parametrize("b_frames", ["0", "2"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_an_avi_is_resumed_in_the_same_place(make_film, codec, b_frames, first):
    at_ms = [*range(0, 2000, 100), *range(12_000, 16_000, 100)]
    path = make_film("a.avi", at_ms=at_ms, codec=codec, options={"bf": b_frames})
    later = [(f.seq, f.captured_at) for f in opened(path).frames(first_seq=first)]
    assert later == [(f.seq, f.captured_at) for f in opened(path).frames()][first:]


@pytest.mark.parametrize("first", [1, 2, 14, 16, 37, 38, 45, 53, 59])
def test_a_program_stream_is_resumed_in_the_same_place(make_film, tmp_path, first):
    """Not each of its packets says a time, and after a seek the library guesses others."""
    path = tmp_path / "film.mpg"
    with av.open(str(path), "w", format="mpeg") as output:
        stream = output.add_stream("mpeg2video", rate=25, options={"g": "12", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 160, 64, "yuv420p"
        pictures = (np.full((64, 160, 3), 10 + 4 * number, np.uint8) for number in range(60))
        frames = chain(
            (av.VideoFrame.from_ndarray(one, format="bgr24") for one in pictures), [None]
        )
        for frame in frames:
            for packet in stream.encode(frame):
                output.mux(packet)

    def numbers_and_times(**how):
        frames = opened(path).frames(**how)
        return [(f.seq, f.captured_at, f.image.mean() // 4) for f in frames]

    assert numbers_and_times(first_seq=first) == numbers_and_times()[first:]


@pytest.mark.parametrize(
    ("ticks", "wanted_ms"),
    [
        ([0, 40, 80, 9000, 160, 200], [0, 40, 80, 120, 160, 200]),  # one is far ahead
        ([5000, 5040, 0, 5120, 5160], [0, 40, 80, 120, 160]),  # one is far behind
        ([0, 40, 9080, 9120, 160, 200], [0, 40, 80, 120, 160, 200]),  # two are
        ([0, 40, 9000, 9040, 9080], [0, 40, 9000, 9040, 9080]),  # a pause
        ([9000, 9040, 0, 40, 80], [0, 40, 80, 120, 160]),  # another recording follows
        ([0, 40, 9000, 80, 9040], [0, 40, 80, 100, 9040]),  # a pause, a frame too early
    ],
)
def test_a_timestamp_is_accepted_if_the_following_timestamps_agree(ticks, wanted_ms):
    clock = FrameClock(TimeScale(Fraction(1, 1000), Fraction(25)), first=None)
    found = [clock.time(n, t, ticks[n + 1 :]) // 1000 for n, t in enumerate(ticks)]
    assert found == wanted_ms


def test_few_packets_are_read_ahead_and_their_order_is_retained(make_film):
    with av.open(str(make_film(at_ms=EVEN))) as container:
        upcoming, read = UpcomingTimes(), []

        def packets():
            for packet in container.demux(video=0):
                read.append(packet)
                yield packet

        given = []
        for packet in upcoming.read_ahead(packets()):
            given.append(packet)
            assert len(read) - len(given) <= 16
            assert len(list(upcoming.times())) <= 64
        assert given == read
