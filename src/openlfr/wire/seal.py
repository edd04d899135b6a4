"""Message authentication codes: proof that the writer of a record had the topic's key.

Kafka's own access rights restrict the writers of a topic. The code still protects readers if those
rights are wrong, or if somebody altered a broker's disk. The code does not prevent replay: readers
discard a repeated record, since its ids and version are the same.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openlfr.wire.codec.record import Record

HEADER = "mac"


def purpose_of(topic: str) -> str:
    """Return the purpose for which the vault derives a topic's key."""
    return f"records of {topic}"


def sign(record: Record, key: bytes) -> Record:
    """Return the record with the code, HMAC-SHA256 over key and value, as a further header."""
    code = (HEADER, _compute_code(record.key, record.value, key).encode())
    return replace(record, headers=[*record.headers, code])


def verify(
    headers: Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None,
    record_key: bytes | None,
    value: bytes | None,
    key: bytes,
) -> None:
    """Check that the writer of a record had the key.

    Raises:
        BadInput: The record has no code, or its code does not match.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    codes = [content for name, content in pairs if name == HEADER]
    if not codes or codes[-1] is None:
        raise BadInput(
            "This record has no authentication code: its writer did not have the vault's key, or "
            "was a service of an older version."
        )
    if not hmac.compare_digest(codes[-1], _compute_code(record_key, value, key).encode()):
        raise BadInput(
            "This record's authentication code does not match its content: the record was altered, "
            "or written with another key."
        )


def _compute_code(record_key: bytes | None, value: bytes | None, key: bytes) -> str:
    key_bytes = record_key or b""
    # The length fixes the border between key and value. A tombstone differs from an empty value.
    content = b"%d:%b%b" % (len(key_bytes), key_bytes, b"-" if value is None else b"+" + value)
    return hmac.new(key, content, hashlib.sha256).hexdigest()
