"""A message authentication code on records of a topic: who has the topic's key wrote it.

Kafka's own rights decide who may write to a topic; this is what is left where they are wrong, or
where a broker's disk was written to. It says nothing of when: replaying what was really written is
absorbed by ids and versions.
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
    """For which purpose the vault derives the key of a topic."""
    return f"records of {topic}"


def sign(record: Record, key: bytes) -> Record:
    """The record with its code in a header: HMAC-SHA256 over key and value."""
    code = (HEADER, _code(record.key, record.value, key).encode())
    return replace(record, headers=[*record.headers, code])


def verify(
    headers: Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None,
    record_key: bytes | None,
    value: bytes | None,
    key: bytes,
) -> None:
    """See that a record was written by somebody who has the key.

    Raises:
        BadInput: It has no code, or another's.
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
    named = record_key or b""
    # The length keeps a byte from moving between key and value; a tombstone is no empty value.
    content = b"%d:%b%b" % (len(named), named, b"-" if value is None else b"+" + value)
    return hmac.new(key, content, hashlib.sha256).hexdigest()
