"""Rejects single sightings of an alert, so that a stranger's face in a true alert is erased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import SightingRejected
from openlfr.domain.errors import BadInput, Conflict
from openlfr.domain.permissions import Action, require
from openlfr.domain.text import check_reason
from openlfr.operations.erasure import erase_rejected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
    from openlfr.domain.principals import Principal
    from openlfr.operations.erasure import ErasableBook
    from openlfr.ports import Records, Vault


@dataclass(frozen=True, slots=True)
class Rejection:
    """A sighting that shows another person than the other sightings of its alert.

    Attributes:
        alert_id: The id, or a beginning of it that only one alert has.
        sighting: Id of the sighting or of its event, or a beginning of it that only one event has.
        reason: The reason in the person's words; required only while the alert is sealed.
        version: Version of the alert that the person has read; None accepts the current version.
    """

    alert_id: str
    sighting: str
    reason: str = ""
    version: int | None = None


def reject_sighting(
    rejection: Rejection,
    *,
    records: Records,
    vault: Vault,
    book: ErasableBook,
    by: Principal,
    at: datetime,
) -> RecordedAlert:
    """Remove a sighting from its alert, and erase its picture and event at once.

    The pictures of a sealed alert are evidence of a mistaken stop. So only a person who may open
    sealed pictures may reject one of its sightings, and must state a reason.

    Returns:
        The alert without the sighting.

    Raises:
        NotAllowed: The person may not decide, or the alert is sealed and the person may not open
            sealed pictures.
        BadInput: No alert or several alerts match, or no sighting or several sightings. Or the
            sighting is the alert's only one, so that the alert must be decided instead. Or the
            alert is sealed and there is no reason.
        Conflict: The alert has changed since `rejection.version`.
        Unavailable: A store does not answer. If the rejection is already recorded, the next purge
            erases the sighting.
    """
    require(by, Action.DECIDE)
    reason = check_reason(rejection.reason)
    with records.unit_of_work() as work:
        alert_id = work.alerts.find(rejection.alert_id).alert_id
        case = work.alerts.case(alert_id)  # locks the alert, so read everything else afterwards
        alert = work.alerts.find(alert_id)
        if rejection.version is not None and rejection.version != case.version:
            raise Conflict(case.changed_since(rejection.version))
        if case.is_sealed:
            require(by, Action.OPEN_SEALED)
            if not reason:
                raise BadInput(
                    f"The pictures of the alert {alert_id} are sealed, since somebody was stopped "
                    "by mistake: a supervisor may reject a sighting, with a reason, --reason TEXT."
                )
        remaining_events = [e for e in work.alerts.events(alert.alert_id) if e.rejected_at is None]
        event = _find_event(rejection.sighting, alert, remaining_events)
        if len(remaining_events) == 1:
            raise BadInput(
                f"It is the only sighting of the alert {alert.alert_id}: decide do_not_engage."
            )
        work.alerts.reject(alert.alert_id, event.event.event_id, at)
        rejected = SightingRejected(alert.alert_id, event.event.event_id, reason)
        work.record(AuditEvent(at, by, rejected))
    erase_rejected(records=records, vault=vault, book=book, at=at)
    return records.alerts.find(alert.alert_id)


def _find_event(
    prefix: str, alert: RecordedAlert, events: Sequence[RecordedEvent]
) -> RecordedEvent:
    beginning = prefix.strip().lower()
    found = [
        event
        for event in events
        if beginning
        and (
            event.event.event_id.startswith(beginning)
            or event.event.sighting.sighting_id.startswith(beginning)
        )
    ]
    if len(found) != 1:
        what = "No sighting" if not found else "Several sightings"
        raise BadInput(
            f"{what} of the alert {alert.alert_id} begins with {prefix!r}: `openlfr alerts show` "
            "names them."
        )
    return found[0]
