"""What `openlfr.testing` promises: its example runs, and its names are declared."""

import re
from textwrap import dedent

import pytest

from openlfr import testing
from openlfr.domain.errors import Unavailable
from openlfr.domain.ids import Ids
from openlfr.pipeline import Analyser
from openlfr.stages.search import ExactIndex
from openlfr.testing import DrawnStreet, FrameSource, ManualClock, Opener, standing_at


def test_the_example_in_the_documentation_runs():
    (example,) = re.findall(r"((?:^    .*\n)+)", testing.__doc__, re.MULTILINE)
    names = {name: getattr(testing, name) for name in testing.__all__}
    exec(dedent(example), names | {"Analyser": Analyser, "Ids": Ids, "ExactIndex": ExactIndex})


def test_each_name_is_documented():
    for name in testing.__all__:
        assert (getattr(testing, name).__doc__ or "").strip()
        assert f"`{name}`" in testing.__doc__ or name in testing.__doc__


def test_a_source_yields_frames_from_a_given_number_before_its_error():
    frames = DrawnStreet("gate", ann=standing_at(100)).frames(4)
    source = FrameSource(frames, live=True, then=Unavailable("gone"))
    seen = []
    with pytest.raises(Unavailable):
        seen.extend(iter(source.frames(first_seq=2)))
    assert (source.counters.connects, source.closed) == (1, False)
    assert [frame.seq for frame in FrameSource(frames).frames(first_seq=2)] == [2, 3]


def test_an_opener_returns_its_sources_in_order():
    source = FrameSource()
    opener = Opener(Unavailable("not yet"), source, lambda epoch: FrameSource(live=epoch == 3))
    with pytest.raises(Unavailable):
        opener("gate", "rtsp://camera", epoch=1)
    assert opener("gate", "rtsp://camera", epoch=2) is source
    assert opener("gate", "rtsp://camera", epoch=3).is_live
    assert list(opener("gate", "rtsp://camera", epoch=4).frames()) == []
    assert [epoch for _, _, epoch in opener.opened] == [1, 2, 3, 4]


def test_a_clock_advances_only_on_request():
    clock = ManualClock(5.0)
    clock.advance(2.5)
    assert clock() == clock.now == 7.5
