"""What a producer sends: key, value and headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.wire.headers import write_headers

if TYPE_CHECKING:
    from datetime import datetime

    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Record:
    """What a producer sends.

    Attributes:
        key: Decides the partition: what has one key is read in the order in which it was sent.
        value: None is a tombstone.
    """

    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


def record_of(
    key: str, message: Message, captured_at: datetime | None = None, traceparent: str = ""
) -> Record:
    """A whole record of a message."""
    headers = write_headers(
        message.DESCRIPTOR.full_name, captured_at=captured_at, traceparent=traceparent
    )
    return Record(key.encode(), message.SerializeToString(), headers)
