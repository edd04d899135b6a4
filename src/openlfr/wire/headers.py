"""What stands beside a message: its schema, when its frame was captured, and the trace it is in.

    content-type  application/protobuf
    schema        openlfr.wire.v1.Frame: the message's full name, its version in it
    captured_at   2026-11-23T09:00:00.250000Z, where the message is about a frame
    traceparent   W3C Trace Context, where the message is part of a trace

A consumer can leave a stale frame without parsing it: `captured_at` is here as well.
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
    """The headers of a message, read.

    Attributes:
        schema: Full name of the message; empty where the producer did not say it.
        captured_at: UTC; None where it was not said.
        traceparent: W3C Trace Context; empty without a trace, or with one that is malformed: the
            standard asks to start a new one then, never to refuse the message.
    """

    schema: str = ""
    captured_at: datetime | None = None
    traceparent: str = ""


def write_headers(
    schema: str, *, captured_at: datetime | None = None, traceparent: str = ""
) -> list[tuple[str, bytes]]:
    """The headers of a message, as Kafka clients take them."""
    written = [(_CONTENT_TYPE, CONTENT_TYPE.encode()), (_SCHEMA, schema.encode())]
    if captured_at is not None:
        moment = captured_at.astimezone(UTC).isoformat(timespec="microseconds")
        written.append((_CAPTURED_AT, moment.replace("+00:00", "Z").encode()))
    if _TRACE.fullmatch(traceparent):
        written.append((_TRACEPARENT, traceparent.encode()))
    return written


def read_headers(
    headers: Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None,
    *,
    expect: str = "",
) -> Headers:
    """Read a message's headers; unknown ones are left alone, the last of a name counts.

    Args:
        headers: As kafka-python (pairs) or Faust (pairs or a mapping) gives them.
        expect: Full name of the message that the caller can read; empty takes any.

    Raises:
        BadInput: The message is of another schema, or a header is unreadable.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    try:
        said = {
            name: value.decode() for name, value in pairs if name in NAMES and value is not None
        }
        moment = said.get(_CAPTURED_AT)
        captured_at = datetime.fromisoformat(moment) if moment else None
        if captured_at is not None:
            if captured_at.tzinfo is None:
                raise ValueError("no time zone")  # noqa: TRY301 - one way to say it is unreadable
            captured_at = captured_at.astimezone(UTC)
    except (UnicodeDecodeError, ValueError, TypeError, OverflowError):
        raise BadInput(
            "A header of this message is unreadable: it is not as OpenLFR writes it."
        ) from None
    schema = said.get(_SCHEMA, "")
    if expect and schema and schema != expect:
        raise BadInput(f"This message is a {schema[:80]}, where a {expect} belongs.")
    trace = said.get(_TRACEPARENT, "")
    return Headers(schema, captured_at, trace if _TRACE.fullmatch(trace) else "")
