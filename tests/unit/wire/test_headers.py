"""The headers of a message."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openlfr.domain.errors import BadInput
from openlfr.wire.headers import Headers, read_headers, write_headers

FRAME = "openlfr.wire.v1.Frame"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
AT = datetime(2026, 11, 23, 9, 0, 0, 250000, UTC)


def test_headers_survive_encoding_as_pairs_and_as_a_mapping():
    written = write_headers(FRAME, captured_at=AT, traceparent=TRACE)
    assert written == [
        ("content-type", b"application/protobuf"),
        ("schema", b"openlfr.wire.v1.Frame"),
        ("captured_at", b"2026-11-23T09:00:00.250000Z"),
        ("traceparent", TRACE.encode()),
    ]
    expected = Headers(FRAME, AT, TRACE)
    assert read_headers(written, expected_schema=FRAME) == expected
    assert read_headers(dict(written), expected_schema=FRAME) == expected


@pytest.mark.parametrize("headers", [None, [], {}, [("other", b"\xff\xfe")], [("x", None)]])
def test_a_message_without_headers_is_read(headers):
    assert read_headers(headers, expected_schema=FRAME) == Headers()


@pytest.mark.parametrize(
    "trace",
    [
        "",
        "00",
        TRACE[:-1],
        TRACE.upper(),
        "ff" + TRACE[2:],
        "00-" + "0" * 32 + TRACE[35:],
        "\u0661",
    ],
)
def test_a_malformed_trace_is_left_out_and_never_refuses_a_message(trace):
    assert ("traceparent", trace.encode()) not in write_headers(FRAME, traceparent=trace)
    assert read_headers([("traceparent", trace.encode())]).traceparent == ""


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ([("schema", b"openlfr.wire.v1.Alert")], "is a openlfr.wire.v1.Alert, expected a"),
        ([("schema", b"\xff")], "OpenLFR did not write it"),
        ([("captured_at", b"yesterday")], "OpenLFR did not write it"),
        ([("captured_at", b"2026-11-23T09:00:00")], "OpenLFR did not write it"),
    ],
)
def test_headers_of_another_type_are_refused(headers, sentence):
    with pytest.raises(BadInput, match=sentence):
        read_headers(headers, expected_schema=FRAME)
