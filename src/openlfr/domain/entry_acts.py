"""Detects entries of the watchlist whose row was altered after their enrolment.

An entry's row is compared with the entry's acts in the audit log. Every account that may write to
the database can change the row, but only the database's owner can change the audit log. An entry is
not searched, and is reported as a problem, if its authority, subject or expiry differ from its
enrolment, or if it is active after its removal, expiry or rejection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from openlfr.domain.audit_references import (
    ReferenceEnrolled,
    ReferenceExpired,
    ReferenceRefused,
    ReferenceRemoved,
    ReferenceResumed,
    ReferenceSuspended,
)
from openlfr.domain.watchlist import EntryStatus, hash_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openlfr.domain.watchlist import Reference

_END_REASONS = {
    ReferenceRemoved.kind: "it was removed",
    ReferenceExpired.kind: "it had expired",
    ReferenceRefused.kind: "it was refused",
}
ACTS = (ReferenceEnrolled.kind, ReferenceSuspended.kind, ReferenceResumed.kind, *_END_REASONS)
"""The kinds of acts from which an entry's content and status are derived."""

_ENROLLED_FIELDS = (
    "subject",
    "watchlist",
    "category",
    "legal_basis",
    "source",
    "enrolled_by",
    "authorised_by",
    "second_authoriser",
    "second_reason",
)


@dataclass(frozen=True, slots=True)
class EntryAct:
    """A recorded act of one of the kinds in `ACTS`.

    Attributes:
        name: Name of the author.
        detail: See `audit.ActDetails`.
    """

    kind: str
    name: str
    detail: Mapping[str, object]


def find_alteration(entry: Reference, acts: Sequence[EntryAct]) -> str:
    """Return the difference of an entry from its acts, as the end of a sentence; empty if none.

    Args:
        entry: The entry as read from its row.
        acts: The entry's recorded acts of the kinds in `ACTS`, in order.
    """
    enrolments = [act for act in acts if act.kind == ReferenceEnrolled.kind]
    if not enrolments:
        return "no enrolment of it was recorded"
    if len(enrolments) > 1:
        return f"{len(enrolments)} enrolments of it were recorded"
    names = tuple(_changed_fields(entry, enrolments[0]))
    if names:
        which = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return f"{which} {'differ' if len(names) > 1 else 'differs'} from its enrolment"
    if entry.status not in (EntryStatus.ACTIVE, EntryStatus.PENDING):
        return ""
    for act in acts:
        if act.kind in _END_REASONS:
            return f"{_END_REASONS[act.kind]} before"
    later = [act.kind for act in acts if act.kind != ReferenceEnrolled.kind]
    if later and later[-1] == ReferenceSuspended.kind:
        return "it was suspended and not resumed"
    return ""


def earliest_expiry(entry: Reference, acts: Sequence[EntryAct]) -> datetime:
    """Return the earliest of the expiry times in the row and in the enrolment."""
    enrolled = [_parse_expiry(act) for act in acts if act.kind == ReferenceEnrolled.kind]
    return min([entry.expires, *(each for each in enrolled if each is not None)])


def _changed_fields(entry: Reference, enrolled: EntryAct) -> Iterator[str]:
    detail = enrolled.detail
    for name in _ENROLLED_FIELDS:
        # Acts of earlier versions have no enroller; their author enrolled the entry.
        default = enrolled.name if name == "enrolled_by" else ""
        if getattr(entry, name) != detail.get(name, default):
            yield name
    if entry.expires != _parse_expiry(enrolled):
        yield "expires"
    expected = hash_entry(entry.reference_id, entry.subject, entry.watchlist, entry.template_hash)
    recorded = {entry.entry_hash, detail.get("entry_hash", entry.entry_hash)}
    if recorded != {expected}:
        yield "its hash"


def _parse_expiry(enrolled: EntryAct) -> datetime | None:
    try:
        expiry = datetime.fromisoformat(str(enrolled.detail.get("expires")))
    except ValueError:
        return None
    return expiry if expiry.tzinfo else None
