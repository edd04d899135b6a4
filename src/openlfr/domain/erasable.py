"""The fields of audit events that name or describe people; these fields alone can be erased.

An act on an alert may describe a person who was stopped by mistake. An act on a watchlist entry
identifies the listed person, even by a hash of the name or picture. The author of an act on a
passage may be the control subject, so of such an act only the author's name can be erased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.principals import OPENLFR

if TYPE_CHECKING:
    from collections.abc import Mapping

ALERT, REFERENCE, PASSAGE = "alert", "reference", "passage"

_ERASABLE: Mapping[str, frozenset[str]] = {
    ALERT: frozenset({"reason", "file"}),
    REFERENCE: frozenset(
        {
            "subject", "source", "enrolled_by", "authorised_by", "second_authoriser",
            "second_reason", "reason", "note", "picture_hash", "entry_hash",
        }
    ),
    PASSAGE: frozenset(),
}  # fmt: skip


def erasable_fields(object_kind: str, issuer: str) -> frozenset[str]:
    """Return the names of the erasable details of an act; empty if there are none.

    Args:
        object_kind: See `audit.ActDetails`.
        issuer: Issuer of the author; automatic acts on alerts contain no text written by people.
    """
    if object_kind == ALERT and issuer == OPENLFR:
        return frozenset()
    return _ERASABLE.get(object_kind, frozenset())


def has_erasable_name(object_kind: str, issuer: str) -> bool:
    """Return whether the name of an act's author can be erased."""
    return issuer != OPENLFR and object_kind in _ERASABLE
