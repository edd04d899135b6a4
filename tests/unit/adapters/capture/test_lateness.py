"""The lateness of pictures, computed from their timestamps."""

from __future__ import annotations

import pytest

from openlfr.adapters.capture.lateness import LATE_S, Lateness


def lateness(pictures):
    """Of the last of (own time, read at)."""
    found, late = Lateness(), 0.0
    for own_s, at_s in pictures:
        late = found.measure(own_s, at_s)
    return late


def steady(seconds, *, fps=10, begun=0.0, at=50.0, rate=1.0, read_at=1.0):
    """Pictures whose clock goes at `rate`, read at `read_at` times the speed of ours."""
    return [
        (begun + n / fps * rate, at + n / fps / read_at) for n in range(round(seconds * fps))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        (steady(60), 0.0),
        (steady(60, read_at=0.9), 60 / 9),  # too slow a reader: the rest waits in a buffer
        ([*steady(10), (10.0, 75.0)], 15.0),  # a stall
        ([*steady(10), (10.0, 75.0), (26.0, 76.0)], 0.0),  # made up for
        ([(0.0, 50.0), (1.0, 50.1), (2.0, 50.2), (3.0, 50.3)], 0.0),  # a burst at the beginning
        ([*steady(10), *steady(10, begun=0.0, at=60.0)], 0.0),  # the film begins again
        ([*steady(10), *steady(10, begun=5000.0, at=60.0)], 0.0),  # the camera's clock was set
        ([(None, 50.0), (None, 99.0)], 0.0),
    ],
)
def test_lateness_is_measured_against_the_quickest_frame(pictures, expected):
    assert lateness(pictures) == pytest.approx(expected, abs=0.1)


def test_a_slightly_slow_clock_makes_no_frame_late_within_a_day():
    """A quartz is off by up to 100 in a million: 8.6 s a day."""
    assert lateness(steady(86_400, fps=1, rate=1 - 100e-6)) < 0.01 < LATE_S
