"""Applies recorded changes of the watchlist to the vector store, and builds the search index.

An import only records entries; the process that has the vector store open (a run, or the import
itself if there is no run) applies them. Every step may be repeated, and a crash between two steps
loses nothing: a template leaves the records only after the store has confirmed it.
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
from openlfr.operations.evidence import kept_since
from openlfr.operations.lookalikes import ListedTemplates, judge_entry
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openlfr.domain.templates import GalleryFacts
    from openlfr.ports import Records, TemplateStore, Vault, WatchlistRecords

AT_ONCE = 200
"""Entries settled, erased or retired in one transaction. Alerts are recorded in the same database
and wait for it (0.2 s; a whole import of 10,000 would take longer than alerts may wait)."""

CRASH_MARGIN = timedelta(hours=1)
"""A picture is stored a moment before its record. If the record is missing after this time, the
process crashed in between."""

_NAMED = 3  # people that a note names


@dataclass(frozen=True, slots=True)
class SettledEntry:
    """A pending entry that was activated or refused.

    Attributes:
        reference_id, watchlist, subject: As in the entry.
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
    """Erase removed entries from the stores, and settle pending entries.

    A pending entry is compared with all listed entries, of all watchlists and including suspended
    ones. Another picture of the same subject and look-alikes among other subjects are noted. A
    magnet is refused, and so is a copy of a picture that is listed under another name, unless a
    third person allows it with a reason. Of two such rows in one import the upper one is accepted.
    Call this function whenever `records.watchlist.version()` has changed.

    Args:
        records: The recorded entries.
        templates: The vector store to update.
        vault: Decrypts the templates; pictures of removed entries are erased from it.
        facts: Facts about the current embedder; its default threshold defines look-alikes.
        now: UTC, recorded as the time of the acts.
        limit: Largest number of entries to settle, in one transaction; the watchlist's version
            changes if any entry is settled.

    Returns:
        The settled entries, in the order of import.

    Raises:
        Unavailable: A store does not answer. Completed steps remain; call it again later.
    """
    erase_leaving(records, templates, vault, now=now)
    waiting = records.watchlist.outbox()[:limit]
    if not waiting:
        return []
    listed = ListedTemplates.read(
        records.watchlist, templates, room=len(waiting), dimension=facts.dimension
    )
    accepted: list[StoredTemplate] = []
    settlements: list[GalleryDecision] = []
    happened: dict[str, ActDetails] = {}
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
        happened[reference.reference_id] = kind(
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
                work.record(AuditEvent(now, SYSTEM, happened[one.reference_id]))
    _erase_strays(
        records.watchlist,
        templates,
        [t.reference_id for t in accepted if t.reference_id not in done],
    )
    if any(one.status is EntryStatus.REFUSED for one in settlements):
        erase_leaving(records, templates, vault, now=now)
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


def erase_leaving(
    records: Records, templates: TemplateStore, vault: Vault, *, now: datetime
) -> int:
    """Erase templates and pictures of removed and refused entries; return their number."""
    leaving = records.watchlist.awaiting_erasure()
    if leaving:  # all at once: Milvus Lite rewrites its files for each removal
        templates.remove([reference.reference_id for reference in leaving])
    for start in range(0, len(leaving), AT_ONCE):
        some = leaving[start : start + AT_ONCE]
        ids = [reference.reference_id for reference in some]
        for reference in some:
            if reference.picture:
                vault.delete(reference.picture)
        with records.unit_of_work() as work:
            work.watchlist.mark_erased(ids, now)  # carries out acts that are recorded
    return len(leaving)


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
    """Erase stored templates of removed or refused entries; return their number.

    Such a template remains if the process was killed after storing it, and its entry was removed
    meanwhile. Templates without any record are kept.
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

    An import stores a picture a moment before it records the entry, so young pictures are kept.
    """
    names = vault.names(PICTURES)  # first: what is stored after this moment is not looked at
    named = records.picture_names()
    unknown = [name for name in names if name not in named and _is_old(vault, name, now)]
    for name in unknown:
        vault.delete(name)
    return len(unknown)


def _is_old(vault: Vault, name: str, now: datetime) -> bool:
    try:
        return kept_since(vault.get(name)) < now - CRASH_MARGIN
    except BadInput:  # damaged: nobody can look at it, and nothing refers to it
        return True


def count_listed(records: WatchlistRecords, watchlists: Sequence[str], at: datetime) -> int:
    """Number of subjects on these watchlists who are searchable or pending at a moment."""
    standing = records.references(
        watchlists=watchlists, statuses=(EntryStatus.ACTIVE, EntryStatus.PENDING)
    )
    return len({each.subject for each in standing if each.expires >= at})


def build_index(
    records: WatchlistRecords, templates: TemplateStore, watchlists: Sequence[str]
) -> ExactIndex:
    """Build an index of the entries of these watchlists that are searchable now."""
    return ExactIndex(records.manifest(watchlists), templates.all(watchlists))


def not_searched(records: WatchlistRecords, index: ExactIndex, altered: Mapping[str, str]) -> str:
    """A sentence about listed people who are not searchable, with reason and remedy; or empty.

    Args:
        records: The recorded entries.
        index: The index in use.
        altered: Result of `WatchlistRecords.altered`.
    """
    reasons: dict[str, list[str]] = {}
    for reference_id, problem in sorted(altered.items()):
        reasons.setdefault(f"({problem})", []).append(reference_id)
    reasons["stored as another entry than the recorded one"] = list(index.refused_ids)
    reasons["without a stored template"] = list(index.missing_ids)
    parts = [f"{_some(ids, records)} {why}" for why, ids in reasons.items() if ids]
    if not parts:
        return ""
    what = "the stored templates" if not altered else "the records"
    return (
        f"Not searched although listed: {', and '.join(parts)}. Somebody or something has changed "
        f"{what}: find out what, then remove these entries and import them again."
    )


def _some(reference_ids: Sequence[str], records: WatchlistRecords) -> str:
    """The number of references and the names of their subjects."""
    known = records.references(reference_ids=reference_ids[:AT_ONCE])
    names = sorted({each.subject for each in known})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    count = len(reference_ids)
    return f"{count} reference{'s' * (count != 1)} of {', '.join(names[:_NAMED])}{more}"
