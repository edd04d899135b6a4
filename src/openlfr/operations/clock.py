"""Protects entries when the clock and the audit log disagree.

An expired entry stays expired, even if the clock is set back: the time of the latest act is the
earliest possible time. But one act that was recorded while the clock was far ahead would make
every entry expire. So if the log is ahead of the clock by more than `AHEAD`, entries that have
expired by the log and not by the clock are suspended: nobody is searched for by mistake, and
nothing is lost. If the clock is behind, somebody sets it, and the expired entries are erased; if
the act was dated wrongly, a person confirms the clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent, ClockConfirmed
from openlfr.domain.audit_references import ReferenceResumed, ReferenceSuspended
from openlfr.domain.entry_acts import ACTS
from openlfr.domain.errors import BadInput
from openlfr.domain.permissions import Action, require
from openlfr.domain.principals import OPENLFR, SYSTEM
from openlfr.domain.text import require_reason
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.gallery import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.audit import ActDetails, RecordedAct
    from openlfr.domain.principals import Principal
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records

AHEAD = timedelta(minutes=10)
"""Largest accepted difference between the clocks of several machines."""

_REASON = "by the latest act it has expired, by the clock it has not"
_SEARCHED = (EntryStatus.PENDING, EntryStatus.ACTIVE)


def act_ahead(records: Records, now: datetime) -> RecordedAct | None:
    """The latest act, if it is dated too far ahead of the clock; else None."""
    latest = records.audit.latest()
    return latest if latest is not None and latest.at > now + AHEAD else None


def expired_by(records: Records, now: datetime) -> datetime:
    """The time that decides on expiry: the later of the clock and the latest plausible act."""
    latest = records.audit.latest()
    return now if latest is None or latest.at > now + AHEAD else max(now, latest.at)


def suspend_doubtful(records: Records, now: datetime) -> int:
    """Suspend entries that have expired by the latest act and not by the clock; their number."""
    ahead = act_ahead(records, now)
    if ahead is None:
        return 0
    over = {each.reference_id for each in records.watchlist.overdue_entries(now)}
    doubtful = [
        each.reference_id
        for each in records.watchlist.overdue_entries(ahead.at)
        if each.status in _SEARCHED and each.reference_id not in over
    ]
    _move(doubtful, EntryStatus.SUSPENDED, (ReferenceSuspended, _REASON), records, SYSTEM, now)
    return len(doubtful)


def warning(records: Records, now: datetime) -> str:
    """A sentence about the disagreement and the remedy; empty if there is none."""
    ahead = act_ahead(records, now)
    if ahead is None:
        return ""
    held = len(_suspended_by_us(records))
    return (
        f"The latest act ({ahead.kind} by {ahead.by.name or ahead.by.issuer}) is dated "
        f"{ahead.at:%Y-%m-%d %H:%M:%S} UTC, and this clock says {now:%Y-%m-%d %H:%M:%S} UTC: "
        f"entries that expire in between ({held} now) are not searched and not erased; set the "
        "clock if it is behind, or confirm it with openlfr records confirm-clock."
    )


def confirm(
    reason: str, *, records: Records, by: Principal, at: datetime
) -> tuple[RecordedAct, list[Reference]]:
    """Confirm that the clock is right: acts that are dated ahead of it no longer count.

    Returns:
        The act that was dated the furthest ahead, and the entries that are searched again.

    Raises:
        NotAllowed: They may not.
        BadInput: No reason, or no act is dated ahead.
    """
    require(by, Action.CONFIRM_CLOCK)
    reason = require_reason(reason, "Confirming the clock")
    ahead = act_ahead(records, at)
    if ahead is None:
        raise BadInput("No act is dated ahead of this clock: there is nothing to confirm.")
    again = _suspended_by_us(records)
    with records.unit_of_work() as work:
        what = ClockConfirmed(ahead.event_id, ahead.at.isoformat(), reason)
        work.record(AuditEvent(at, by, what))
    resumed = _move(again, EntryStatus.ACTIVE, (ReferenceResumed, reason), records, by, at)
    return ahead, resumed


def _suspended_by_us(records: Records) -> list[str]:
    """Entries that no person has suspended, resumed or ended since we suspended them."""
    last = {
        act.object_id: act
        for act in records.audit.all(object_kind=ReferenceSuspended.object_kind)
        if act.kind in ACTS
    }
    return [
        key
        for key, act in last.items()
        if act.kind == ReferenceSuspended.kind and act.by.issuer == OPENLFR
    ]


def _move(
    ids: Sequence[str],
    to: EntryStatus,
    why: tuple[type[ReferenceSuspended | ReferenceResumed], str],
    records: Records,
    by: Principal,
    at: datetime,
) -> list[Reference]:
    kind, reason = why
    moved: list[Reference] = []
    for start in range(0, len(ids), AT_ONCE):
        with records.unit_of_work() as work:
            for entry in work.watchlist.change_entry_status(ids[start : start + AT_ONCE], to, at):
                what: ActDetails = kind(entry.reference_id, entry.subject, entry.watchlist, reason)
                work.record(AuditEvent(at, by, what))
                moved.append(entry)
    return moved
