"""What of an act names somebody, or was typed by somebody: it can be erased, the act cannot.

An act about an alert may describe the person who was stopped by mistake; one on an entry of the
watchlist says who was listed, by a hash of the name or picture too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.principals import OURSELVES

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
    """The names of an act's details that can be erased; empty where none can.

    Args:
        object_kind: Of `audit.ActDetails`.
        issuer: Of who did it: OpenLFR's own acts about alerts have no words of anybody.
    """
    if object_kind == ALERT and issuer == OURSELVES:
        return frozenset()
    return _WORDS.get(object_kind, frozenset())
