"""Applies recorded changes of the watchlist to the vector store, and builds the search index.

An import only records entries. The process that has the vector store open applies them: a run, or
the import itself if there is no run. Every step may be repeated. A crash between two steps loses no
template, since a template is removed from the records only after the store has confirmed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.domain.audit import ActDetails, AuditEvent
from openlfr.domain.audit_references import ReferenceActivated, ReferenceRefused
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import SYSTEM
from openlfr.domain.templates import StoredTemplate
from openlfr.domain.watchlist import EntryStatus, GalleryDecision
from openlfr.operations.enrol import PICTURES
from openlfr.operations.evidence import read_storage_time
from openlfr.operations.lookalikes import ListedTemplates, judge_entry
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openlfr.domain.templates import GalleryFacts
    from openlfr.ports import Records, TemplateStore, Vault, WatchlistRecords

MAX_PER_TRANSACTION = 200
"""Number of entries that one transaction changes. Alerts are recorded in the same database and wait
for this transaction (0.2 s; a whole import of 10,000 entries would delay alerts for too long)."""

CRASH_MARGIN = timedelta(hours=1)
"""A picture is stored a moment before its record. If the record is missing after this time, the
process crashed in between."""

_MAX_NAMES = 3  # number of people named in a message


@dataclass(frozen=True, slots=True)
class SettledEntry:
    """A pending entry that was activated or refused.

    Attributes:
        reference_id, watchlist, subject: Values of the entry.
        status: `ACTIVE` or `REFUSED`.
        note: Duplicates and look-alikes, or the reason for the refusal.
    """

    reference_id: str
    watchlist: str
    subject: str
    status: EntryStatus
    note: str


def apply_pending(
    records: Records,
    templates: TemplateStore,
    vault: Vault,
    facts: GalleryFacts,
    *,
    now: datetime,
    limit: int | None = None,
) -> list[SettledEntry]:
    """Erase removed entries from the stores, and activate or refuse pending entries.

    A pending entry is compared with the active and suspended entries of all watchlists.
    If the same subject has another picture, or other subjects look alike, the note of the entry
    lists them. A picture that resembles many other subjects is refused. A picture that is already
    listed under another name is refused too, unless a person who neither enrolled nor authorised
    the entry allows it with a reason. If two rows of one import have the same picture, the first
    row is accepted and the second is refused.

    Call this function whenever `records.watchlist.version()` has changed.

    Args:
        records: The recorded entries.
        templates: The vector store to update.
        vault: Decrypts the templates of pending entries. The pictures of removed entries are erased
            from the vault.
        facts: Facts about the current embedder. Faces that reach the default threshold of the
            embedder count as look-alikes.
        now: Time of the recorded acts, UTC.
        limit: Largest number of entries to activate or refuse in this call; None for all pending
            entries. One call uses one transaction. If an entry is activated or refused, the
            watchlist's version changes, so the caller calls again for the rest.

    Returns:
        The activated and refused entries, in the order of import.

    Raises:
        Unavailable: A store does not answer. Completed steps stay recorded; a further call does the
            rest.
    """
    erase_removed_entries(records, templates, vault, now=now)
    waiting = records.watchlist.outbox()[:limit]
    if not waiting:
        return []
    listed = ListedTemplates.read(
        records.watchlist, templates, room=len(waiting), dimension=facts.dimension
    )
    accepted: list[StoredTemplate] = []
    settlements: list[GalleryDecision] = []
    acts: dict[str, ActDetails] = {}
    for reference, sealed in waiting:
        note, refusal, vector = judge_entry(reference, sealed, vault, facts, listed)
        status = EntryStatus.REFUSED if refusal else EntryStatus.ACTIVE
        if vector is not None and not refusal:
            listed.add(reference, vector)
            accepted.append(
                StoredTemplate(
                    reference.reference_id,
                    reference.watchlist,
                    reference.subject,
                    reference.template_hash,
                    vector,
                )
            )
        settlements.append(
            GalleryDecision(
                reference.reference_id,
                status,
                "; ".join(part for part in (reference.note, refusal or note) if part),
            )
        )
        kind = ReferenceRefused if refusal else ReferenceActivated
        acts[reference.reference_id] = kind(
            reference.reference_id,
            reference.subject,
            refusal or note,
            reference.second_authoriser,
            reference.second_reason,
        )
    templates.put(accepted)
    with records.unit_of_work() as work:
        done = work.watchlist.settle(settlements, now)
        for one in settlements:
            if one.reference_id in done:
                work.record(AuditEvent(now, SYSTEM, acts[one.reference_id]))
    _erase_strays(
        records.watchlist,
        templates,
        [t.reference_id for t in accepted if t.reference_id not in done],
    )
    if any(one.status is EntryStatus.REFUSED for one in settlements):
        erase_removed_entries(records, templates, vault, now=now)
    by_id = {reference.reference_id: reference for reference, _ in waiting}
    return [
        SettledEntry(
            one.reference_id,
            by_id[one.reference_id].watchlist,
            by_id[one.reference_id].subject,
            one.status,
            one.note,
        )
        for one in settlements
        if one.reference_id in done
    ]


def erase_removed_entries(
    records: Records, templates: TemplateStore, vault: Vault, *, now: datetime
) -> int:
    """Erase templates and pictures of removed and refused entries.

    If a held or sealed alert names the entry, only the template is erased: the picture is evidence,
    and `erase_retained_pictures` erases the picture after the hold or the seal.

    Returns:
        The number of entries whose template was erased.
    """
    leaving = records.watchlist.awaiting_erasure()
    if leaving:  # in one call, since Milvus Lite rewrites its files for each removal
        templates.remove([reference.reference_id for reference in leaving])
    for start in range(0, len(leaving), MAX_PER_TRANSACTION):
        some = leaving[start : start + MAX_PER_TRANSACTION]
        named = records.alerts.retained_references(now)
        retained = [each.reference_id for each in some if each.reference_id in named]
        for reference in some:
            if reference.picture and reference.reference_id not in named:
                vault.delete(reference.picture)
        ids = [each.reference_id for each in some if each.reference_id not in named]
        with records.unit_of_work() as work:  # without an act: the removal has been recorded
            work.watchlist.mark_erased(ids, now)
            if retained:
                work.watchlist.mark_template_erased(retained, now)
    return len(leaving)


def erase_retained_pictures(records: Records, vault: Vault, *, now: datetime) -> int:
    """Erase pictures of removed entries that no held or sealed alert names any more.

    Returns:
        The number of erased pictures.
    """
    retained = records.alerts.retained_references(now)
    due = [
        each
        for each in records.watchlist.removed_with_picture()
        if each.reference_id not in retained
    ]
    for reference in due:
        vault.delete(reference.picture)
    if due:
        with records.unit_of_work() as work:
            work.watchlist.mark_picture_erased([each.reference_id for each in due])
    return len(due)


def _erase_strays(
    records: WatchlistRecords, templates: TemplateStore, reference_ids: Sequence[str]
) -> None:
    """Erase templates of entries that were removed while their templates were being stored.

    Another process may have erased the entry before its template arrived.
    """
    if reference_ids:
        found = records.references(reference_ids=reference_ids)
        gone = (EntryStatus.REMOVED, EntryStatus.REFUSED)
        templates.remove([each.reference_id for each in found if each.status in gone])


def erase_forgotten_templates(records: WatchlistRecords, templates: TemplateStore) -> int:
    """Erase stored templates of removed or refused entries; return the number of templates.

    Such a template remains if its entry was removed while a process stored the template, and this
    process was killed. Templates without any record are not erased.
    """
    every = records.references()
    gone = {
        each.reference_id
        for each in every
        if each.status in (EntryStatus.REMOVED, EntryStatus.REFUSED)
    }
    stored = templates.all(sorted({each.watchlist for each in every}))
    found = [each.reference_id for each in stored if each.reference_id in gone]
    templates.remove(found)
    return len(found)


def erase_unrecorded_pictures(records: WatchlistRecords, vault: Vault, now: datetime) -> int:
    """Erase reference pictures without an entry, left by a killed import; return their number.

    An import stores a picture a moment before it records the entry. So pictures that are younger
    than `CRASH_MARGIN` are not erased.
    """
    names = vault.names(PICTURES)  # before the records, since a picture is stored before its entry
    named = records.picture_names()
    unknown = [name for name in names if name not in named and _is_old(vault, name, now)]
    for name in unknown:
        vault.delete(name)
    return len(unknown)


def _is_old(vault: Vault, name: str, now: datetime) -> bool:
    try:
        return read_storage_time(vault.get(name)) < now - CRASH_MARGIN
    except BadInput:  # a damaged picture is of no use, and no entry refers to it
        return True


def count_listed(records: WatchlistRecords, watchlists: Sequence[str], at: datetime) -> int:
    """Count the subjects on these watchlists who are searchable or pending at a moment."""
    listed_entries = records.references(
        watchlists=watchlists, statuses=(EntryStatus.ACTIVE, EntryStatus.PENDING)
    )
    return len({each.subject for each in listed_entries if each.expires >= at})


def build_index(
    records: WatchlistRecords, templates: TemplateStore, watchlists: Sequence[str]
) -> ExactIndex:
    """Build an index of all searchable entries of these watchlists."""
    return ExactIndex(records.manifest(watchlists), templates.all(watchlists))


def describe_unsearched(
    records: WatchlistRecords, index: ExactIndex, altered: Mapping[str, str]
) -> str:
    """Describe listed people who are not searchable, with reason and remedy; empty without any.

    Args:
        records: The recorded entries.
        index: The index in use.
        altered: Result of `WatchlistRecords.altered_entries`.
    """
    reasons: dict[str, list[str]] = {}
    for reference_id, problem in sorted(altered.items()):
        reasons.setdefault(f"({problem})", []).append(reference_id)
    reasons["stored as another entry than the recorded one"] = list(index.refused_ids)
    reasons["without a stored template"] = list(index.missing_ids)
    parts = [f"{_describe_some(ids, records)} {why}" for why, ids in reasons.items() if ids]
    if not parts:
        return ""
    changed = "the stored templates" if not altered else "the records"
    return (
        f"Not searched although listed: {', and '.join(parts)}. Somebody or something has changed "
        f"{changed}: find the cause, then remove these entries and import them again."
    )


def _describe_some(reference_ids: Sequence[str], records: WatchlistRecords) -> str:
    """Return the number of references, and the names of some of their subjects."""
    known = records.references(reference_ids=reference_ids[:MAX_PER_TRANSACTION])
    names = sorted({each.subject for each in known})
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    count = len(reference_ids)
    return f"{count} reference{'s' * (count != 1)} of {', '.join(names[:_MAX_NAMES])}{more}"
