"""Finds and erases data whose retention is over.

These data are erased:

- pictures and positions of alerts beyond the retention, and of alerts about people who were
  mistaken for a listed person;
- pictures and positions of rejected sightings;
- evidence without an alert, left by a crash;
- expired entries, whose pictures and templates `operations.gallery` then erases;
- names in entries that were removed longer ago than the retention.

The rows of these alerts and entries remain on record, without a face or a place.

Erasing a file only frees its space: copies in backups and snapshots remain, and so do blocks that
an SSD has not reused. Therefore the vault is encrypted, and the copies are unreadable without its
key.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import NamesErased
from openlfr.domain.audit_references import ReferenceExpired, ReferenceForgotten
from openlfr.domain.errors import BadInput
from openlfr.domain.permissions import Action, require
from openlfr.domain.principals import OPENLFR, SYSTEM, Principal
from openlfr.operations.adjudicate import apply_deadlines
from openlfr.operations.clock import (
    describe_clock_problem,
    expiry_time,
    suspend_entries_of_unclear_expiry,
)
from openlfr.operations.erasure import (
    ErasableBook,
    begin_erasing,
    erase_alert,
    erase_mistaken,
    erase_rejected,
)
from openlfr.operations.erasure_words import ERASURE_WORDS
from openlfr.operations.evidence import PREFIX, evidence_name, read_storage_time
from openlfr.operations.gallery import (
    CRASH_MARGIN,
    MAX_PER_TRANSACTION,
    erase_retained_pictures,
)
from openlfr.operations.passage_findings import retain_findings_of_subjects
from openlfr.operations.written_files import ErasedIds, erase_written, seal_written

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from openlfr.domain.alert_records import NameErasures, RecordedAlert, RecordedEvent
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records, Vault

ROWS_REMAIN = (
    "Erased rows are still in {where}, since another program is reading the records: run openlfr "
    "purge after that program has ended."
)
"""Message if `Records.erase_for_good` was not complete; {where} is the path of
SQLite's write-ahead log."""

MAX_CRASH_ORPHANS = 2
"""Pictures without an alert that are erased automatically. A crash leaves one, between picture and
row. More of them suggest that the records are older than the vault, restored from a backup."""


@dataclass(frozen=True, slots=True)
class DueErasures:
    """Data whose retention is over.

    Attributes:
        alerts: Alerts beyond the retention.
        mistaken: Alerts with the final verdict not to engage, and refuted alerts after the time for
            complaints.
        orphans: Vault names of evidence without an alert.
        entries: Expired entries that still have picture and template.
        rejected: Events of rejected sightings.
        warning: A sentence if the clock disagrees with the audit log (`operations.clock`).
        lost_records: A sentence if so many pictures have no alert that the records may be older
            than the vault.
    """

    alerts: tuple[RecordedAlert, ...]
    mistaken: tuple[RecordedAlert, ...]
    orphans: tuple[str, ...]
    entries: tuple[Reference, ...]
    rejected: tuple[RecordedEvent, ...] = ()
    warning: str = ""
    lost_records: str = ""

    def __bool__(self) -> bool:
        return bool(self.alerts or self.mistaken or self.rejected or self.orphans or self.entries)

    @property
    def counts(self) -> Counter[str]:
        """Numbers of due data, by the keys of `ERASURE_WORDS`."""
        return Counter({name: len(getattr(self, name)) for name in ERASURE_WORDS})

    def without_lost_records(self) -> DueErasures:
        """Return the same data, without `orphans` if `lost_records` is set."""
        return replace(self, orphans=()) if self.lost_records else self


def find_due(
    *,
    records: Records,
    vault: Vault,
    book: ErasableBook,
    retention: timedelta,
    now: datetime,
    deployments: Collection[str] = (),
) -> DueErasures:
    """Find data whose retention is over, and change nothing.

    Alerts on hold, their rejected sightings, and sealed alerts are not due. An alert is either in
    `alerts` or in `mistaken`.

    Args:
        records: Records of alerts and entries.
        vault: Store of evidence and reference pictures.
        book: The alert book. Evidence of the book's events is not due, since a resumed run will
            record these events.
        retention: Time for which an alert is kept after its last event.
        now: UTC.
        deployments: Ids of deployments whose events are read from the book, besides the recorded
            deployments.
    """
    mistaken = tuple(records.alerts.mistaken_alerts_to_erase(now))
    apart = {alert.alert_id for alert in mistaken}
    orphans = tuple(_orphans(records, vault, book, now, deployments))
    return DueErasures(
        alerts=tuple(
            a
            for a in records.alerts.erasable_alerts(now - retention, now)
            if a.alert_id not in apart
        ),
        mistaken=mistaken,
        rejected=tuple(records.alerts.rejected_events_to_erase(now)),
        orphans=orphans,
        # An expired entry remains expired if the clock is set back.
        entries=tuple(records.watchlist.overdue_entries(expiry_time(records, now))),
        warning=describe_clock_problem(records, now),
        lost_records=_describe_lost_records(orphans),
    )


def erase_due(
    *,
    records: Records,
    vault: Vault,
    book: ErasableBook,
    retention: timedelta,
    now: datetime,
    deployments: Collection[str] = (),
) -> DueErasures:
    """Erase all due data, without a person's request; return the erased data.

    First, deadlines of alerts are applied, and entries of unclear expiry are suspended. Pictures
    without an alert remain if the records may be older than the vault; a person erases them with
    `openlfr purge --without-alert`. Names and retained pictures of removed entries are erased too,
    but are not in the result. Arguments and errors are those of `find_due` and `purge`.
    """
    apply_deadlines(records, now)
    suspend_entries_of_unclear_expiry(records, now)
    due = find_due(
        records=records,
        vault=vault,
        book=book,
        retention=retention,
        now=now,
        deployments=deployments,
    ).without_lost_records()
    seal_written(
        records.written_files(), records.alerts.sealed_alert_ids()
    )  # all sealed alerts, since a crash may have interrupted a sealing
    vault.erase_unfinished(now - CRASH_MARGIN)
    forget_entries(records, now - retention, now=now)
    erase_retained_pictures(records, vault, now=now)
    if due:
        purge(due, records=records, vault=vault, book=book, now=now, by=SYSTEM)
    return due


def purge(
    due: DueErasures,
    *,
    records: Records,
    vault: Vault,
    book: ErasableBook,
    now: datetime,
    by: Principal,
) -> None:
    """Erase due data, and record an act for each alert and entry.

    Mistaken alerts and rejected sightings are read again, so that new ones are erased too. An alert
    that was put on hold since `find_due` is not erased. Expired entries are removed from the
    records' outbox. The process that has the vector store open erases their pictures and templates
    (`operations.gallery.erase_removed_entries`).

    Args:
        due: Result of `find_due`.
        records: Records of alerts and entries.
        vault: Store of evidence and reference pictures.
        book: The alert book.
        now: UTC, recorded as the time of the acts.
        by: The person who requested the purge, or `SYSTEM`.

    Raises:
        NotAllowed: The person may not purge.
        Unavailable: A store does not answer. Completed erasures are final; purge again later.
    """
    if by.issuer != OPENLFR:
        require(by, Action.PURGE)
    old = begin_erasing(due.alerts, records=records, at=now)
    erase_written(
        records.written_files(), ErasedIds(alerts=frozenset(alert.alert_id for alert in old))
    )
    for alert in old:
        erase_alert(alert, records=records, vault=vault, book=book, at=now, reason="retention")
    erase_mistaken(records=records, vault=vault, book=book, at=now)
    erase_rejected(records=records, vault=vault, book=book, at=now)
    for deployment in {alert.deployment for alert in records.alerts.list()}:
        book.erase(deployment, [])  # also removes expired events from the disk
    referred_to = records.alerts.evidence_names()
    for name in due.orphans:
        if name not in referred_to:
            vault.delete(name)
    vault.erase_unfinished(now - CRASH_MARGIN)
    for start in range(0, len(due.entries), MAX_PER_TRANSACTION):
        some = due.entries[start : start + MAX_PER_TRANSACTION]
        with records.unit_of_work() as work:
            for entry in work.watchlist.remove_expired([each.reference_id for each in some], now):
                expired = ReferenceExpired(
                    entry.reference_id, entry.subject, entry.expires.isoformat()
                )
                work.record(AuditEvent(now, by, expired))


def forget_entries(records: Records, before: datetime, *, now: datetime) -> int:
    """Erase names in entries that ended before a moment; return the number of these entries."""
    with records.unit_of_work() as work:
        ids = work.watchlist.subjects_to_erase(before)
        retain_findings_of_subjects(ids, work=work, at=now)
        forgotten = work.watchlist.erase_subjects(before)
        for reference_id in forgotten:
            work.record(AuditEvent(now, SYSTEM, ReferenceForgotten(reference_id)))
    return len(forgotten)


def erase_names(records: Records, before: datetime, *, by: Principal, at: datetime) -> NameErasures:
    """Erase names and notes of people who acted before a moment.

    These are acts on alerts and passages, and on entries whose subject's name is erased. Acts on
    held and sealed alerts are left out, since authors and reasons are part of the evidence.

    Returns:
        The numbers of erased and of retained acts.

    Raises:
        NotAllowed: The person may not purge.
    """
    require(by, Action.PURGE)
    with records.unit_of_work() as work:
        done = work.alerts.erase_names(before, at)
        if done.erased:
            work.record(AuditEvent(at, by, NamesErased(before.isoformat(), done.erased)))
    return done


def _orphans(
    records: Records,
    vault: Vault,
    book: ErasableBook,
    now: datetime,
    deployments: Collection[str],
) -> list[str]:
    # Read the names before the records: evidence is stored before its alert is recorded.
    names = vault.names(PREFIX)
    referred_to = records.alerts.evidence_names()
    unknown = [name for name in names if name not in referred_to]
    if not unknown:
        return []
    known = set(deployments) | {alert.deployment for alert in records.alerts.list()}
    known |= {each.deployment_id for each in records.deployments.list()}
    folded = {
        evidence_name(event.sighting.sighting_id)
        for deployment in known
        for event in book.events(deployment)
    }
    return [n for n in unknown if n not in folded and _is_old(vault, n, now)]


def _describe_lost_records(orphans: Collection[str]) -> str:
    if len(orphans) <= MAX_CRASH_ORPHANS:
        return ""
    return (
        f"{len(orphans)} pictures in the vault have no alert in the records, so the records may be "
        "older than the vault. The pictures are not erased. Restore the newer records, or erase "
        "the pictures with openlfr purge --without-alert."
    )


def _is_old(vault: Vault, name: str, now: datetime) -> bool:
    try:
        return read_storage_time(vault.get(name)) < now - CRASH_MARGIN
    except BadInput:  # damaged evidence is of no use, and no alert refers to it
        return True
