"""A dead letter: a message that could not be used, without its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Where a message stood and why it was set aside. Its content is left out: it may be a face.

    Attributes:
        topic, partition, offset: Where it stood.
        service: What set it aside.
        reason: One sentence.
        value_bytes: Size of its value.
        value_sha256: Hex, of its value.
        set_aside_at: UTC.
    """

    topic: str
    partition: int
    offset: int
    service: str
    reason: str
    value_bytes: int
    value_sha256: str
    set_aside_at: datetime


def dead_letter(
    value: bytes | None,
    *,
    topic: str,
    partition: int,
    offset: int,
    service: str,
    reason: str,
    at: datetime,
) -> DeadLetter:
    """The dead letter of a message with this value."""
    content = value or b""
    return DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        service=service,
        reason=reason,
        value_bytes=len(content),
        value_sha256=hashlib.sha256(content).hexdigest(),
        set_aside_at=at,
    )
