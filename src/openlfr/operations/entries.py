"""Suspends, resumes and removes a person's entries of the watchlist."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_references import ReferenceRemoved, ReferenceResumed, ReferenceSuspended
from openlfr.domain.errors import BadInput
from openlfr.domain.permissions import Action, require
from openlfr.domain.text import check_reason
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.audit_references import ReferenceActDetails
    from openlfr.domain.principals import Principal
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries to change, and the reason.

    Attributes:
        subject: Subject of the entries.
        watchlist: Name of one watchlist; None for all.
        reason: The reason in the person's words.
    """

    subject: str
    watchlist: str | None = None
    reason: str = ""


def suspend(entries: Entries, *, records: Records, by: Principal, at: datetime) -> list[Reference]:
    """Suspend a person's entries until they are resumed; return the changed entries.

    Raises:
        NotAllowed: The person may not suspend entries.
        BadInput: The reason is blank or not allowed, or there is nothing to suspend.
    """
    require(by, Action.SUSPEND_ENTRY)
    return _move(entries, EntryStatus.SUSPENDED, ReferenceSuspended, records, by, at)


def resume(entries: Entries, *, records: Records, by: Principal, at: datetime) -> list[Reference]:
    """Resume a person's suspended entries; return the changed entries.

    Raises:
        NotAllowed: The person may not resume entries.
        BadInput: The reason is blank or not allowed, or there is nothing to resume.
    """
    require(by, Action.SUSPEND_ENTRY)
    return _move(entries, EntryStatus.ACTIVE, ReferenceResumed, records, by, at)


def remove(entries: Entries, *, records: Records, by: Principal, at: datetime) -> list[Reference]:
    """Remove a person's entries from one watchlist or from all; return the changed entries.

    The process that has the vector store open erases their templates and pictures
    (`operations.gallery.erase_removed_entries`).

    Raises:
        NotAllowed: The person may not remove entries.
        BadInput: The reason is blank or not allowed, or there is nothing to remove.
    """
    require(by, Action.REMOVE_ENTRY)
    return _move(entries, EntryStatus.REMOVED, ReferenceRemoved, records, by, at)


def _move(
    entries: Entries,
    to: EntryStatus,
    kind: type[ReferenceActDetails],
    records: Records,
    by: Principal,
    at: datetime,
) -> list[Reference]:
    reason = check_reason(entries.reason)
    lists = None if entries.watchlist is None else (entries.watchlist,)
    with records.unit_of_work() as work:
        moved = work.watchlist.change_subject_status(entries.subject, lists, to, at)
        for each in moved:
            what = kind(each.reference_id, each.subject, each.watchlist, reason)
            work.record(AuditEvent(at, by, what))
    if not moved:
        done = kind.kind.partition(".")[2]
        raise BadInput(_nothing_to_move(records.watchlist.references(), entries, done))
    return moved


def _nothing_to_move(known: Sequence[Reference], entries: Entries, done: str) -> str:
    subject = entries.subject
    where = f" in the watchlist {entries.watchlist!r}" if entries.watchlist else ""
    statuses = Counter(
        str(each.status)
        for each in known
        if each.subject == subject and entries.watchlist in (None, each.watchlist)
    )
    if statuses:
        counted = ", ".join(f"{count} {status}" for status, count in statuses.items())
        return f"No entry of {subject!r}{where} can be {done}: the entries are {counted}."
    close = difflib.get_close_matches(subject, {each.subject for each in known}, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"There is no entry of {subject!r}{where}.{hint}"
