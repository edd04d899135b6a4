"""Dead letters: records of unusable messages, without their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The position and the problem of an unusable message, without content that may show a face.

    Attributes:
        topic, partition, offset: Position of the message.
        service: The service that rejected the message.
        reason: The problem, as one sentence.
        value_bytes: Size of the message's value.
        value_sha256: Hash (hex) of the message's value.
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


def make_dead_letter(
    value: bytes | None,
    *,
    topic: str,
    partition: int,
    offset: int,
    service: str,
    reason: str,
    at: datetime,
) -> DeadLetter:
    """Build the dead letter of a message; a missing value counts as empty."""
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
