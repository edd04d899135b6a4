"""A film starts at the configured time, its recording date, or the start of the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.adapters.capture import open_source
from openlfr.adapters.capture.recording_date import read_recording_date
from openlfr.domain.frames import StartOrigin

SET = datetime(2026, 11, 23, 9, tzinfo=UTC)
RUN = datetime(2026, 11, 28, 12, tzinfo=UTC)
FILMED = datetime(2025, 7, 4, 18, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Tagged:
    """The part of a container or stream that contains its tags."""

    metadata: dict[str, str]


def start_of(path, start=None):
    source = open_source("gate", str(path), epoch=0, start=start, assumed_start=RUN)
    frames = list(source.frames())
    assert frames[0].captured_at == source.start
    assert {f.time_assumed for f in frames} == {source.start_origin is StartOrigin.ASSUMED}
    return source.start, source.start_origin


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_a_configured_start_overrides_the_recording_date_of_the_film(make_film, name):
    path = make_film(name, metadata={"creation_time": "2025-07-04T18:30:00.000000Z"})
    assert start_of(path) == (FILMED, StartOrigin.RECORDED)
    assert start_of(path, SET) == (SET, StartOrigin.CONFIGURED)


@pytest.mark.parametrize(
    ("container", "stream"),
    [
        ({}, {"creation_time": "2025-07-04T20:30:00+02:00"}),
        ({"CREATION_TIME": "2025-07-04 18:30:00"}, {"creation_time": "2020-01-01T00:00:00Z"}),
        ({"creation_time": "2025-09-09T00:00:00Z",
          "com.apple.quicktime.creationdate": "2025-07-04T20:30:00+0200"}, {}),
    ],
)  # fmt: skip
def test_the_most_reliable_date_tag_is_used(container, stream):
    tagged = (Tagged(container), Tagged(stream))
    assert read_recording_date(*tagged, now=RUN) == FILMED


@pytest.mark.parametrize(
    "date",
    [
        "1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2000-01-01T00:03:00Z", "2025-07-04",
        "yesterday", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59Z",
        "in two days",  # of this run: a date made here would name another test in each process
    ],
)  # fmt: skip
def test_an_impossible_recording_date_is_ignored(make_film, date):
    if date == "in two days":
        date = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    path = make_film("a.mkv", metadata={"creation_time": date})
    assert start_of(path) == (RUN, StartOrigin.ASSUMED)


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.avi"])
def test_without_a_date_a_film_starts_with_the_run(make_video, name):
    assert start_of(make_video(name)) == (RUN, StartOrigin.ASSUMED)
