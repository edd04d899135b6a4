"""Erases pictures, positions and alert book events of an alert or a rejected sighting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openlfr.domain.adjudication_rules import end_life
from openlfr.domain.alerts import Outcome
from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import AlertErased
from openlfr.domain.case_acts import acts_of
from openlfr.domain.principals import SYSTEM
from openlfr.operations.evidence import evidence_name
from openlfr.operations.passage_findings import retain_findings_of_alert
from openlfr.operations.written_files import ErasedIds, erase_written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedAlert
    from openlfr.domain.alerts import AlertEvent
    from openlfr.ports import Records, UnitOfWork, Vault


class ErasableBook(Protocol):
    """The methods of the alert book that an erasure needs."""

    def events(self, deployment: str) -> list[AlertEvent]:
        """Return every stored event of the deployment."""
        ...

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings."""
        ...


def erase_alert(
    alert: RecordedAlert,
    *,
    records: Records,
    vault: Vault,
    book: ErasableBook,
    at: datetime,
    reason: str,
) -> None:
    """Erase an alert's pictures, its events in the alert book and the recorded positions.

    Call `begin_erasing` before, so that nobody can place a hold during the erasure. The records are
    changed last, so that an interrupted erasure remains due. An event that arrives during the
    erasure makes the alert due again. Times, cameras, scores, decisions and acts remain on record.
    The alert accepts no more sightings.

    Raises:
        Unavailable: A store does not answer; call it again later.
    """
    events = records.alerts.events(alert.alert_id)
    for event in events:
        vault.delete(event.evidence or evidence_name(event.event.sighting.sighting_id))
    book.erase(alert.deployment, [event.event.sighting.sighting_id for event in events])
    erased = AlertErased(alert.alert_id, reason, len(events))
    with records.unit_of_work() as work:
        before = work.alerts.case(alert.alert_id)
        if not _has_erasable_parts(alert.alert_id, work):
            return  # another process has erased the alert, and recorded the act
        after = end_life(before, at)
        if after != before:
            work.alerts.append_changes(before, after, "")
        for act in acts_of(before, after, by=SYSTEM, at=at):
            work.record(act)
        retain_findings_of_alert(alert.alert_id, work=work, at=at)
        work.alerts.mark_erased(alert.alert_id, [event.event.event_id for event in events], at)
        work.record(AuditEvent(at, SYSTEM, erased))


def begin_erasing(
    alerts: Sequence[RecordedAlert], *, records: Records, at: datetime
) -> list[RecordedAlert]:
    """Mark alerts without a hold as being erased, and return them; nothing is erased yet.

    A hold on a marked alert is rejected, so that the pictures of an accepted hold always exist.
    """
    with records.unit_of_work() as work:
        marked_ids = work.alerts.begin_erasing([alert.alert_id for alert in alerts], at)
    return [alert for alert in alerts if alert.alert_id in marked_ids]


def _has_erasable_parts(alert_id: str, work: UnitOfWork) -> bool:
    """Return whether the records still contain a part of the alert that must be erased."""
    return bool(work.alerts.find(alert_id).subject) or any(
        event.evidence is not None or event.event.sighting.box.w > 0
        for event in work.alerts.events(alert_id)
    )


def erase_mistaken(
    *, records: Records, vault: Vault, book: ErasableBook, at: datetime
) -> list[RecordedAlert]:
    """Erase due alerts, and written files, of people mistaken for a listed person.

    Returns:
        The alerts erased by this call.
    """
    found = begin_erasing(records.alerts.mistaken_alerts_to_erase(at), records=records, at=at)
    erase_written(records.written_files(), ErasedIds(alerts=frozenset(a.alert_id for a in found)))
    for alert in found:
        reason = describe_mistake(alert)
        erase_alert(alert, records=records, vault=vault, book=book, at=at, reason=reason)
    return found


def erase_rejected(*, records: Records, vault: Vault, book: ErasableBook, at: datetime) -> int:
    """Erase pictures, events and written files of due rejected sightings; return their number."""
    rejected = records.alerts.rejected_events_to_erase(at)
    ids = frozenset(event.event.event_id for event in rejected)
    erase_written(records.written_files(), ErasedIds(events=ids))
    for event in rejected:
        vault.delete(event.evidence or evidence_name(event.event.sighting.sighting_id))
    for deployment in {event.event.sighting.deployment for event in rejected}:
        sightings = [
            event.event.sighting.sighting_id
            for event in rejected
            if event.event.sighting.deployment == deployment
        ]
        book.erase(deployment, sightings)
    if rejected:
        with records.unit_of_work() as work:
            work.alerts.mark_rejected_erased([event.event.event_id for event in rejected])
    return len(rejected)


def describe_mistake(alert: RecordedAlert) -> str:
    """Return "refuted" for an alert with this outcome, else "not engaged"."""
    return "refuted" if alert.outcome is Outcome.REFUTED else "not engaged"
