"""Detects entries of the watchlist whose row was altered after their enrolment.

An entry's row is compared with its acts in the audit log. Every account that may write to the
database can change the row, only its owner the audit log. An entry is not searched, and is reported
as a problem, if its authority, subject or expiry differ from its enrolment, or if it is active
again after its removal, expiry or rejection.
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

_ENDED = {
    ReferenceRemoved.kind: "it was removed",
    ReferenceExpired.kind: "it had expired",
    ReferenceRefused.kind: "it was refused",
}
ACTS = (ReferenceEnrolled.kind, ReferenceSuspended.kind, ReferenceResumed.kind, *_ENDED)
"""The kinds of acts from which an entry's content and status follow."""

_ENROLLED = (
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
        name: Name of the person who acted.
        detail: See `audit.ActDetails`.
    """

    kind: str
    name: str
    detail: Mapping[str, object]


def find_alteration(entry: Reference, acts: Sequence[EntryAct]) -> str:
    """How an entry differs from its acts, as the end of a sentence; empty where it does not.

    Args:
        entry: The entry as read from its row.
        acts: The entry's recorded acts of the kinds in `ACTS`, in order.
    """
    enrolments = [act for act in acts if act.kind == ReferenceEnrolled.kind]
    if not enrolments:
        return "no enrolment of it was recorded"
    if len(enrolments) > 1:
        return f"{len(enrolments)} enrolments of it were recorded"
    names = tuple(_changed(entry, enrolments[0]))
    if names:
        which = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return f"{which} {'are' if len(names) > 1 else 'is'} not as enrolled"
    if entry.status not in (EntryStatus.ACTIVE, EntryStatus.PENDING):
        return ""
    for act in acts:
        if act.kind in _ENDED:
            return f"{_ENDED[act.kind]} before"
    paused = [act.kind for act in acts if act.kind != ReferenceEnrolled.kind]
    if paused and paused[-1] == ReferenceSuspended.kind:
        return "it was suspended and not resumed"
    return ""


def latest_expiry(entry: Reference, acts: Sequence[EntryAct]) -> datetime:
    """The earlier of the expiry times in the enrolment and in the row."""
    enrolled = [_expires(act) for act in acts if act.kind == ReferenceEnrolled.kind]
    return min([entry.expires, *(each for each in enrolled if each is not None)])


def _changed(entry: Reference, enrolled: EntryAct) -> Iterator[str]:
    detail = enrolled.detail
    for name in _ENROLLED:
        # In acts of earlier versions the enroller is the act's author.
        other = enrolled.name if name == "enrolled_by" else ""
        if getattr(entry, name) != detail.get(name, other):
            yield name
    if entry.expires != _expires(enrolled):
        yield "expires"
    made = hash_entry(entry.reference_id, entry.subject, entry.watchlist, entry.template_hash)
    recorded = {entry.entry_hash, detail.get("entry_hash", entry.entry_hash)}
    if recorded != {made}:
        yield "its hash"


def _expires(enrolled: EntryAct) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(enrolled.detail.get("expires")))
    except ValueError:
        return None
    return found if found.tzinfo else None
