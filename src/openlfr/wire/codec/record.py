"""Records of a topic: key, value and headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.wire.headers import write_headers

if TYPE_CHECKING:
    from datetime import datetime

    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a producer sends it.

    Attributes:
        key: Selects the partition; records with the same key are read in the order of sending.
        value: The message's bytes; None for a tombstone.
    """

    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


def record_of(
    key: str, message: Message, captured_at: datetime | None = None, traceparent: str = ""
) -> Record:
    """Build the record of a message."""
    headers = write_headers(
        message.DESCRIPTOR.full_name, captured_at=captured_at, traceparent=traceparent
    )
    return Record(key.encode(), message.SerializeToString(), headers)
