"""The headers of a message: its schema, the capture time of its frame, and its trace.

    content-type  application/protobuf
    schema        openlfr.wire.v1.Frame: full name of the message, including the version
    captured_at   2026-11-23T09:00:00.250000Z, if the message is about a frame
    traceparent   W3C Trace Context, if the message is part of a trace

A consumer can skip a stale frame by `captured_at`, without parsing the frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTENT_TYPE = "application/protobuf"
_CONTENT_TYPE, _SCHEMA, _CAPTURED_AT, _TRACEPARENT = NAMES = (
    "content-type",
    "schema",
    "captured_at",
    "traceparent",
)
# https://www.w3.org/TR/trace-context/#traceparent-header: version ff and ids of zeros are invalid.
_TRACE = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Headers:
    """The parsed headers of a message.

    Attributes:
        schema: Full name of the message; empty if the header is missing.
        captured_at: Capture time in UTC; None if the header is missing.
        traceparent: W3C Trace Context; empty if the header is missing or malformed. By the
            standard, a new trace replaces a malformed one; the message stays valid.
    """

    schema: str = ""
    captured_at: datetime | None = None
    traceparent: str = ""


def write_headers(
    schema: str, *, captured_at: datetime | None = None, traceparent: str = ""
) -> list[tuple[str, bytes]]:
    """Build the headers of a message in the format of Kafka clients."""
    headers = [(_CONTENT_TYPE, CONTENT_TYPE.encode()), (_SCHEMA, schema.encode())]
    if captured_at is not None:
        moment = captured_at.astimezone(UTC).isoformat(timespec="microseconds")
        headers.append((_CAPTURED_AT, moment.replace("+00:00", "Z").encode()))
    if _TRACE.fullmatch(traceparent):
        headers.append((_TRACEPARENT, traceparent.encode()))
    return headers


def read_headers(
    headers: Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None,
    *,
    expected_schema: str = "",
) -> Headers:
    """Parse a message's headers; ignore unknown headers, and use the last header of each name.

    Args:
        headers: Headers as pairs (kafka-python, Faust) or as a mapping (Faust).
        expected_schema: Full name of the expected message; empty for any.

    Raises:
        BadInput: The message has another schema, or a header is unreadable.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    try:
        values = {
            name: value.decode() for name, value in pairs if name in NAMES and value is not None
        }
        moment = values.get(_CAPTURED_AT)
        captured_at = datetime.fromisoformat(moment) if moment else None
        if captured_at is not None:
            if captured_at.tzinfo is None:
                raise ValueError("no time zone")  # noqa: TRY301 - caught below with the other errors
            captured_at = captured_at.astimezone(UTC)
    except (UnicodeDecodeError, ValueError, TypeError, OverflowError):
        raise BadInput(
            "A header of this message is unreadable: OpenLFR did not write it."
        ) from None
    schema = values.get(_SCHEMA, "")
    if expected_schema and schema and schema != expected_schema:
        raise BadInput(f"This message is a {schema[:80]}, expected a {expected_schema}.")
    trace = values.get(_TRACEPARENT, "")
    return Headers(schema, captured_at, trace if _TRACE.fullmatch(trace) else "")
