"""Gallery: bring the vector store to what the records say, and make the index that searches it.

An import only records; whoever holds the vector store (a running pipeline, or the import itself
when nothing runs) applies what is recorded. Every step may be repeated, and a crash between two
steps loses nothing: a template leaves the records only after the store has confirmed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.audit import ActDetails, AuditEvent
from openlfr.domain.audit_references import ReferenceActivated, ReferenceRefused
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import SYSTEM
from openlfr.domain.templates import StoredTemplate
from openlfr.domain.watchlist import EntryStatus, Settlement
from openlfr.operations.enrol import PICTURES, outbox_name
from openlfr.operations.evidence import kept_since
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records, TemplateStore, Vault, WatchlistRecords

NEAR_COPY = 0.8
"""Cosine similarity from which two photos are called the same picture. 13 kinds of copies of 25
LFW photos (encoded anew, shrunk, cut, mirrored, grey ...) all reach 0.80, 92% of them 0.9; of 148
people no two exceed 0.42 (`benchmarks/near_copies.py FOLDER --people 150 --copied 25`). Measured
on SFace."""

MAGNET_SUBJECTS = 3
MAGNET_SHARE = 0.02
"""A reference that reaches the threshold against so many other subjects, and against such a share
of them, is a magnet: it would stop strangers too, whoever it shows. Among one photo each of 20 to
1,600 people of LFW, threshold 0.40, nobody is one; the most alike reach 6 of 1,599 others."""

AT_ONCE = 200
"""Entries settled, erased or retired in one transaction: alerts are recorded in the same database,
and wait for it (0.2 s; a whole import of 10,000 would hold it longer than they may wait)."""

CRASH_MARGIN = timedelta(hours=1)
"""A picture is stored a moment before the record that names it; without one after so long, there
was a crash."""

_HOW_TO_LIST_TWICE = (
    "remove that entry first, or have a third person give second_authoriser and second_reason in "
    "the manifest; of two rows in one import the upper one stands"
)
_NAMED = 3  # people that a note names


@dataclass(frozen=True, slots=True)
class SettledEntry:
    """A pending entry that was activated or refused.

    Attributes:
        status: `ACTIVE` or `REFUSED`.
        note: What a person should know: duplicates and look-alikes, or why it was refused.
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
    """Do what the records still owe: erase what left the list, and settle pending entries.

    A pending entry is compared with every other listed one, suspended ones and all watchlists
    included. A picture of the same subject that is there already and look-alikes among other
    subjects are noted. A magnet is refused, and so is (a copy of) a picture that is listed under
    another name, unless a third person allows it with a reason. Of two in one import the one that
    was added first stands, which is the upper row of the manifest. Call it whenever
    `records.watchlist.version()` has changed.

    Args:
        records: What was decided.
        templates: The store that follows it.
        vault: Opens the sealed templates; loses the pictures of what left the list.
        facts: Of the model that makes templates now; its default threshold says who is alike.
        now: UTC, written as the time of the acts.
        limit: How many entries to settle at most, in one transaction; the watchlist's version has
            changed after it if any were.

    Returns:
        The entries that were settled, in the order they were imported.

    Raises:
        Unavailable: A store does not answer; what was done stays done, call it again later.
    """
    erase_leaving(records, templates, vault, now=now)
    waiting = records.watchlist.outbox()[:limit]
    if not waiting:
        return []
    listed = _Listed.read(
        records.watchlist, templates, room=len(waiting), dimension=facts.dimension
    )
    accepted: list[StoredTemplate] = []
    settlements: list[Settlement] = []
    happened: dict[str, ActDetails] = {}
    for reference, sealed in waiting:
        note, refusal, vector = _judge(reference, sealed, vault, facts, listed)
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
            Settlement(
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
    """Erase templates and pictures of removed and refused entries; how many they were."""
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
    """Erase templates of entries that left the list while their templates were being stored.

    Another process may have erased what left before the template came.
    """
    if reference_ids:
        found = records.references(reference_ids=reference_ids)
        gone = (EntryStatus.REMOVED, EntryStatus.REFUSED)
        templates.remove([each.reference_id for each in found if each.status in gone])


def erase_forgotten_templates(records: WatchlistRecords, templates: TemplateStore) -> int:
    """Erase stored templates of entries that were removed or refused; how many they were.

    One is left where the process was killed after it had stored a template whose entry left the
    list meanwhile. Templates that the records do not know at all are not theirs to erase.
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
    """Erase reference pictures that no entry names (an import that was killed leaves one).

    An import stores a picture a moment before it records the entry: young ones are left alone.
    """
    names = vault.names(PICTURES)  # first: what is stored after this moment is not looked at
    named = records.pictures()
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
    """Subjects on these watchlists who are searched at a moment, or will be once taken up."""
    standing = records.references(
        watchlists=watchlists, statuses=(EntryStatus.ACTIVE, EntryStatus.PENDING)
    )
    return len({each.subject for each in standing if each.expires >= at})


def build_index(
    records: WatchlistRecords, templates: TemplateStore, watchlists: Sequence[str]
) -> ExactIndex:
    """A snapshot of what is searchable now in these watchlists."""
    return ExactIndex(records.manifest(watchlists), templates.all(watchlists))


def not_searched(records: WatchlistRecords, index: ExactIndex, altered: Mapping[str, str]) -> str:
    """Who is listed and yet found by nobody, why, and what to do; empty where all are searched.

    Args:
        records: Names them.
        index: That is searched.
        altered: Of `WatchlistRecords.altered`.
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
    """How many references, and whose."""
    known = records.references(reference_ids=reference_ids[:AT_ONCE])
    names = sorted({each.subject for each in known})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    count = len(reference_ids)
    return f"{count} reference{'s' * (count != 1)} of {', '.join(names[:_NAMED])}{more}"


class _Listed:
    """Every listed template in one matrix, with room for those that are being added."""

    def __init__(self, room: int, dimension: int) -> None:
        self._vectors = np.empty((room, dimension), np.float32)
        self._references: list[Reference] = []

    @classmethod
    def read(
        cls, records: WatchlistRecords, templates: TemplateStore, *, room: int, dimension: int
    ) -> _Listed:
        """Those of active and suspended entries, whatever watchlist they are on."""
        standing = {
            reference.reference_id: reference
            for reference in records.references(
                statuses=(EntryStatus.ACTIVE, EntryStatus.SUSPENDED)
            )
        }
        watchlists = sorted({reference.watchlist for reference in standing.values()})
        stored = [t for t in templates.all(watchlists) if t.reference_id in standing]
        listed = cls(len(stored) + room, dimension)
        for template in stored:
            listed.add(standing[template.reference_id], template.vector)
        return listed

    def add(self, reference: Reference, vector: NDArray[np.float32]) -> None:
        self._vectors[len(self._references)] = vector
        self._references.append(reference)

    def best_of_each(self, vector: NDArray[np.float32]) -> dict[str, tuple[float, Reference]]:
        """For each listed subject the greatest similarity to this template, and of which entry."""
        best: dict[str, tuple[float, Reference]] = {}
        scores = self._vectors[: len(self._references)] @ vector
        for reference, score in zip(self._references, scores.tolist(), strict=True):
            if reference.subject not in best or score > best[reference.subject][0]:
                best[reference.subject] = score, reference
        return best


def _judge(
    reference: Reference,
    sealed: bytes,
    vault: Vault,
    facts: GalleryFacts,
    listed: _Listed,
) -> tuple[str, str, NDArray[np.float32] | None]:
    """What to note of a pending entry, why it is refused if it is, and its template."""
    try:
        content = vault.unseal(outbox_name(reference.reference_id), sealed)
    except BadInput as error:
        return "", f"its template cannot be read: {error}", None
    vector = np.frombuffer(content, "<f4").astype(np.float32)
    if vector.shape != (facts.dimension,):
        return "", f"its template has {vector.size} numbers, expected {facts.dimension}", None
    best = listed.best_of_each(vector)
    own = best.pop(reference.subject, None)
    notes = []
    if own is not None and own[0] >= NEAR_COPY:
        notes.append(f"nearly the same picture is listed already ({own[0]:.2f})")
    alike = sorted(
        (
            (score, name, other)
            for name, (score, other) in best.items()
            if score >= min(facts.default_threshold, NEAR_COPY)
        ),
        key=lambda one: (-one[0], one[1]),
    )
    copies = [one for one in alike if one[0] >= NEAR_COPY]
    if copies:
        which = f"nearly the same picture as {_entry(*copies[0])}, listed under another name"
        if not reference.second_authoriser:
            return "", f"{which}; {_HOW_TO_LIST_TWICE}", None
        notes.append(f"{which}, as {reference.second_authoriser} allows")
    others = alike[len(copies) :]
    names = ", ".join(f"{name} ({score:.2f})" for score, name, _ in others[:_NAMED])
    if len(others) >= MAGNET_SUBJECTS and len(others) >= MAGNET_SHARE * len(best):
        return (
            "",
            (
                f"a magnet: it resembles {len(others)} of {len(best)} other listed subjects "
                f"(first {names}) and would stop strangers too; use another photo"
            ),
            None,
        )
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        notes.append(f"looks like {names}{more}, listed under another name")
    return "; ".join(notes), "", vector


def _entry(score: float, subject: str, other: Reference) -> str:
    """An entry as a person finds it in the list."""
    how = ", suspended" if other.status is EntryStatus.SUSPENDED else ""
    where = f"in {other.watchlist}{how}"
    return f"that of {subject} (entry {other.reference_id} {where}; {score:.2f})"
