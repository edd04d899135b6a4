"""Message authentication codes: proof that a record was written with the topic's key.

Kafka's own rights decide who may write to a topic; the code still protects readers where those
rights are wrong, or where a broker's disk was altered. The code does not prevent replay: a genuine
record that is written again has the same ids and version, and readers discard it.
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
    """The purpose for which the vault derives a topic's key."""
    return f"records of {topic}"


def sign(record: Record, key: bytes) -> Record:
    """Add the code, HMAC-SHA256 over key and value, as a header."""
    code = (HEADER, _code(record.key, record.value, key).encode())
    return replace(record, headers=[*record.headers, code])


def verify(
    headers: Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None,
    record_key: bytes | None,
    value: bytes | None,
    key: bytes,
) -> None:
    """Check that a record was written with the key.

    Raises:
        BadInput: The record has no code, or its code does not match.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    given = [content for name, content in pairs if name == HEADER]
    if not given or given[-1] is None:
        raise BadInput(
            "This record has no authentication code: it was not written by a service that has "
            "the vault's key, or by one of an older version."
        )
    if not hmac.compare_digest(given[-1], _code(record_key, value, key).encode()):
        raise BadInput(
            "This record's authentication code is not that of its content: it was altered, or "
            "written under another key."
        )


def _code(record_key: bytes | None, value: bytes | None, key: bytes) -> str:
    key_bytes = record_key or b""
    # The length keeps a byte from moving between key and value; a tombstone is no empty value.
    content = b"%d:%b%b" % (len(key_bytes), key_bytes, b"-" if value is None else b"+" + value)
    return hmac.new(key, content, hashlib.sha256).hexdigest()
