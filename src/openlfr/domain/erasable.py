"""The fields of audit events that name or describe people: they can be erased, the events cannot.

An act on an alert may describe a person who was stopped by mistake. An act on a watchlist entry
identifies the listed person, even by a hash of the name or picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.principals import OPENLFR

if TYPE_CHECKING:
    from collections.abc import Mapping

ALERT, REFERENCE = "alert", "reference"

_WORDS: Mapping[str, frozenset[str]] = {
    ALERT: frozenset({"reason", "file"}),
    REFERENCE: frozenset(
        {
            "subject", "source", "enrolled_by", "authorised_by", "second_authoriser",
            "second_reason", "reason", "note", "picture_hash", "entry_hash",
        }
    ),
}  # fmt: skip


def erasable_fields(object_kind: str, issuer: str) -> frozenset[str]:
    """Return the names of an act's details that can be erased; empty where none can.

    Args:
        object_kind: See `audit.ActDetails`.
        issuer: Issuer of the author; OpenLFR's own acts on alerts contain no text of people.
    """
    if object_kind == ALERT and issuer == OPENLFR:
        return frozenset()
    return _WORDS.get(object_kind, frozenset())
