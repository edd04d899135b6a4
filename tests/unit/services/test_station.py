"""What stands in a message never stops the station; what cannot be used is set aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from openlfr.adapters.capture.jpeg import encode_jpeg
from openlfr.adapters.faust_agents import Message
from openlfr.adapters.memory_vault import MemoryVault
from openlfr.domain.analysis import Analysis
from openlfr.domain.errors import Unavailable
from openlfr.domain.frames import EncodedFrame
from openlfr.wire import codec
from openlfr_analysis.station import Station

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEPLOYMENT = SimpleNamespace(name="Market", starts=NOON - HOUR, ends=NOON + HOUR)
FRAME = EncodedFrame(
    "Market", "gate", 1, 0, 0, NOON, 8, 8, encode_jpeg(np.zeros((8, 8, 3), np.uint8))
)


class Looked:
    """An analyser that finds nobody and cannot look at frame 13."""

    def __init__(self, error=ValueError):
        self.seen, self.error = [], error

    def analyse(self, frames):
        if any(frame.seq == 13 for frame in frames):
            raise self.error("frame 13")
        self.seen += [frame.seq for frame in frames]
        return Analysis()

    def finish(self, camera):
        self.seen.append(f"end of {camera}")
        return Analysis()


def message(frame=FRAME, *, age=0.0, value=None, headers=None):
    record = codec.encode_frame(frame)
    written = datetime.now(UTC).timestamp() - age
    return Message(
        "frames.v1", 3, 17 + frame.seq, record.value if value is None else value,
        record.headers if headers is None else headers, written, None,
    )  # fmt: skip


def look(*messages, analyser=None, max_age=None):
    station = Station(analyser or Looked(), MemoryVault(), DEPLOYMENT, max_age=max_age)
    records = station.look([station.decode(each) for each in messages])
    return station, [(topic, codec.decode_dead_letter(record.value)) for topic, record in records]


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (message(value=b"\x0a"), "Frame"),
        (message(headers=[("schema", b"openlfr.wire.v1.Alert")]), "Alert"),
        (message(replace(FRAME, deployment="Other")), "another deployment"),
        (message(replace(FRAME, jpeg=b"no picture")), "picture cannot be decoded"),
        (message(replace(FRAME, seq=13)), "cannot be analysed: ValueError"),
    ],
)
def test_poison_is_set_aside_with_its_place_and_without_its_picture(poison, reason):
    analyser = Looked()
    _, letters = look(poison, message(replace(FRAME, seq=14)), analyser=analyser)
    assert 14 in analyser.seen
    [(topic, letter)] = letters
    assert topic == "dead-letters.v1"
    assert (letter.topic, letter.partition, letter.offset) == ("frames.v1", 3, poison.offset)
    assert reason in letter.reason
    assert letter.value_bytes == len(poison.value)


def test_an_outage_is_no_poison():
    with pytest.raises(Unavailable):
        look(message(replace(FRAME, seq=13)), analyser=Looked(Unavailable))


@pytest.mark.parametrize(
    ("frame", "age", "max_age", "counted"),
    [
        (FRAME, 60, None, "analysed"),
        (FRAME, 60, timedelta(seconds=2), "dropped_late"),
        (FRAME, 0, timedelta(seconds=2), "analysed"),
        (replace(FRAME, captured_at=NOON + HOUR), 0, None, "outside_hours"),
    ],
)
def test_what_is_left_out_is_counted(frame, age, max_age, counted):
    station, letters = look(message(frame, age=age), max_age=max_age)
    assert letters == []
    assert {what: n for what, n in station.counts.items() if n} == {counted: 1}


def test_a_frame_that_is_delivered_again_is_looked_at_once():
    analyser = Looked()
    again = [replace(FRAME, seq=seq) for seq in (0, 1, 2, 1, 2, 3)]
    newer = replace(FRAME, epoch=2, seq=0)
    station, _ = look(*map(message, [*again, newer]), analyser=analyser)
    assert analyser.seen == [0, 1, 2, 3, 0]
    assert station.counts["repeated"] == 2
