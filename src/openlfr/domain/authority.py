"""Is an entry still what was enrolled? Its row is compared with its acts in the audit log.

Rows of the watchlist can be changed by whoever may write to the database, the audit log only by
whoever owns it. So an entry whose authority, subject or expiry is not that of its enrolment, or
that was ended once and is listed again, is not searched, and is named as a problem.
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
"""The kinds of acts that say how an entry has to be."""

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
    """An act of `ACTS`, as it was recorded.

    Attributes:
        name: Who did it.
        detail: As of `audit.ActDetails`.
    """

    kind: str
    name: str
    detail: Mapping[str, object]


def find_alteration(entry: Reference, acts: Sequence[EntryAct]) -> str:
    """What of an entry is not as it was enrolled, as the end of a sentence; empty where nothing.

    Args:
        entry: As the records have it now.
        acts: Those of `ACTS` that were recorded of it, in their order.
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
    """Until when an entry may be kept: as enrolled, or earlier where its row says so."""
    enrolled = [_expires(act) for act in acts if act.kind == ReferenceEnrolled.kind]
    return min([entry.expires, *(each for each in enrolled if each is not None)])


def _changed(entry: Reference, enrolled: EntryAct) -> Iterator[str]:
    detail = enrolled.detail
    for name in _ENROLLED:
        # Before acts had principals the enroller was the act's.
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
