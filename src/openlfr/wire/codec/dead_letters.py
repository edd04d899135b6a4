"""Dead letters as records."""

from __future__ import annotations

from openlfr.domain.dead_letters import DeadLetter
from openlfr.wire.codec.fields import parse, read_moment, timestamp_of
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.v1 import dead_letter_pb2


def encode_dead_letter(letter: DeadLetter, *, traceparent: str = "") -> Record:
    """Encode a dead letter; the key is the unusable message's topic, partition and offset."""
    message = dead_letter_pb2.DeadLetter(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        service=letter.service,
        reason=letter.reason,
        value_bytes=letter.value_bytes,
        value_sha256=letter.value_sha256,
        set_aside_at=timestamp_of(letter.set_aside_at),
    )
    key = f"{letter.topic}/{letter.partition}/{letter.offset}"
    return record_of(key, message, traceparent=traceparent)


def decode_dead_letter(value: bytes | None) -> DeadLetter:
    """Decode a dead letter."""
    message = parse(dead_letter_pb2.DeadLetter, value)
    return DeadLetter(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        service=message.service,
        reason=message.reason,
        value_bytes=message.value_bytes,
        value_sha256=message.value_sha256,
        set_aside_at=read_moment(message, "set_aside_at"),
    )
