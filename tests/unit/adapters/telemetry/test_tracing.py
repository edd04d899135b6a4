"""Traces: one id from a frame to its alert, another span at each step."""

from __future__ import annotations

import pytest

from openlfr.adapters.telemetry import tracing
from openlfr.wire.headers import read_headers, write_headers

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_new_trace_is_a_header_that_our_readers_accept():
    first, second = tracing.begin_trace(), tracing.begin_trace()
    assert first != second
    assert read_headers(write_headers("x", traceparent=first)).traceparent == first


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        (GIVEN, "01"),
        (GIVEN[:-2] + "00", "00"),
        ("cc" + GIVEN[2:-2] + "03-what-comes-later", "01"),
    ],
)
def test_a_step_continues_the_trace_with_its_own_span(given, flags):
    step = tracing.continue_trace(given)
    version, trace, span, sampled_flags = step.split("-")
    assert (version, trace, sampled_flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", flags)
    assert span != "00f067aa0ba902b7"
    assert read_headers(write_headers("x", traceparent=step)).traceparent == step
    assert tracing.trace_id(step) == tracing.trace_id(given)


def test_without_a_trace_one_begins():
    assert len(tracing.continue_trace("")) == len(GIVEN)
    assert tracing.trace_id("") == ""


def test_traces_of_frames_are_remembered_by_camera_epoch_and_number_for_a_while():
    traces = tracing.FrameTraces(max_frames=2)
    for seq in range(3):
        traces.record("gate", 1, seq, tracing.begin_trace())
    traces.record("gate", 1, 3, "")
    traces.record("yard", 1, 1, GIVEN)
    assert traces.find("yard", 1, 1) == GIVEN
    assert traces.find("gate", 1, 1) != traces.find("gate", 1, 2)
    assert all(traces.find("gate", 1, seq) for seq in (1, 2))
    assert {traces.find("gate", 1, 0), traces.find("gate", 1, 3), traces.find("hall", 1, 1)} == {""}
