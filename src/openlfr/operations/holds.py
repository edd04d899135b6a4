"""Places and releases holds; an alert with a hold is not erased."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.alert_records import Hold
from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import HoldPlaced, HoldReleased
from openlfr.domain.errors import BadInput
from openlfr.domain.permissions import Action, require
from openlfr.domain.text import require_reason

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.alert_records import HoldKind
    from openlfr.domain.principals import Principal
    from openlfr.ports import Records


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """A requested hold.

    Attributes:
        alert_id: The id, or a beginning of it that only one alert has.
        kind: Kind of the hold: for a complaint or a disclosure.
        until: Expiry of the hold, UTC.
        reason: The reason in the person's words.
    """

    alert_id: str
    kind: HoldKind
    until: datetime
    reason: str


def place_hold(request: HoldRequest, *, records: Records, by: Principal, at: datetime) -> Hold:
    """Prevent the erasure of an alert until the hold expires or is released.

    Raises:
        NotAllowed: The person may not place holds.
        BadInput: The alert does not exist or was erased, the reason is missing, or the expiry is
            in the past.
    """
    require(by, Action.HOLD)
    reason = require_reason(request.reason, "A hold")
    if request.until <= at:
        raise BadInput(f"A hold until {request.until:%Y-%m-%d %H:%M} UTC would be over already.")
    with records.unit_of_work() as work:
        alert_id = work.alerts.find(request.alert_id).alert_id
        # Reading the case locks the alert. An erasure waits now, or the next line detects it.
        work.alerts.case(alert_id)
        alert = work.alerts.find(alert_id)
        if alert.erased_at is not None:
            raise BadInput(
                f"The alert {alert.alert_id} was erased at {alert.erased_at:%Y-%m-%d %H:%M:%S} UTC:"
                " there is nothing left to hold."
            )
        hold = Hold(str(uuid.uuid4()), alert.alert_id, request.kind, at, request.until)
        work.alerts.place_hold(hold)
        placed = HoldPlaced(
            alert.alert_id, hold.hold_id, str(hold.kind), hold.expires_at.isoformat(), reason
        )
        work.record(AuditEvent(at, by, placed))
    return hold


def release_holds(
    alert_id: str, reason: str, *, records: Records, by: Principal, at: datetime
) -> list[Hold]:
    """Release all active holds of an alert, and return them.

    Raises:
        NotAllowed: The person may not release holds.
        BadInput: The alert does not exist or has no active hold, or the reason is missing.
    """
    require(by, Action.HOLD)
    reason = require_reason(reason, "A release")
    with records.unit_of_work() as work:
        alert = work.alerts.find(alert_id)
        work.alerts.case(alert.alert_id)  # locks the alert, so read its holds afterwards
        active_holds = [hold for hold in work.alerts.holds(alert.alert_id) if hold.is_active(at)]
        for hold in active_holds:
            released_at = max(at, hold.placed_at)  # the clock may have been set back
            work.alerts.release_hold(hold.hold_id, released_at)
            released = HoldReleased(alert.alert_id, hold.hold_id, reason)
            work.record(AuditEvent(released_at, by, released))
    if not active_holds:
        raise BadInput(f"The alert {alert.alert_id} has no active hold.")
    return active_holds
