"""Protects entries when the clock and the audit log disagree.

An expired entry remains expired if the clock is set back, since the present time cannot be earlier
than the latest act. But one act that was recorded while the clock was far ahead would make every
entry expire. So if the log is ahead of the clock by more than `AHEAD`, entries that have expired by
the log but not by the clock are suspended: nobody is searched for by mistake, and no entry is lost.
If the clock is behind, a person sets the clock, and the expired entries are erased. If the act has
a wrong date, a person confirms the clock, and the suspended entries are searchable again.
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
from openlfr.operations.gallery import MAX_PER_TRANSACTION

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


def find_act_ahead(records: Records, now: datetime) -> RecordedAct | None:
    """Return the latest act, if its time is more than `AHEAD` later than the clock; else None."""
    latest = records.audit.latest()
    return latest if latest is not None and latest.at > now + AHEAD else None


def expiry_time(records: Records, now: datetime) -> datetime:
    """Return the time that decides on expiry.

    Returns:
        The time of the latest act, if it is later than the clock by at most `AHEAD`; else the
        clock's time.
    """
    latest = records.audit.latest()
    return now if latest is None or latest.at > now + AHEAD else max(now, latest.at)


def suspend_entries_of_unclear_expiry(records: Records, now: datetime) -> int:
    """Suspend entries that have expired by the latest act but not by the clock.

    Returns:
        The number of suspended entries.
    """
    ahead = find_act_ahead(records, now)
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


def describe_clock_problem(records: Records, now: datetime) -> str:
    """Describe a disagreement of clock and log, and the remedy; empty if they agree."""
    ahead = find_act_ahead(records, now)
    if ahead is None:
        return ""
    suspended = len(_suspended_by_us(records))
    return (
        f"The latest act ({ahead.kind} by {ahead.by.name or ahead.by.issuer}) is dated "
        f"{ahead.at:%Y-%m-%d %H:%M:%S} UTC, but this clock is at {now:%Y-%m-%d %H:%M:%S} UTC. "
        f"Entries that expire in between ({suspended} now) are neither searched nor erased. Set "
        "the clock if it is behind, or confirm it with openlfr records confirm-clock."
    )


def confirm(
    reason: str, *, records: Records, by: Principal, at: datetime
) -> tuple[RecordedAct, list[Reference]]:
    """Confirm that the clock is right; acts with a later date are then ignored.

    Returns:
        The act with the latest date, and the entries that had been suspended and are active again.

    Raises:
        NotAllowed: The person may not confirm the clock.
        BadInput: There is no reason, or no act is dated ahead of the clock.
    """
    require(by, Action.CONFIRM_CLOCK)
    reason = require_reason(reason, "Confirming the clock")
    ahead = find_act_ahead(records, at)
    if ahead is None:
        raise BadInput("No act is dated ahead of this clock: there is nothing to confirm.")
    again = _suspended_by_us(records)
    with records.unit_of_work() as work:
        what = ClockConfirmed(ahead.event_id, ahead.at.isoformat(), reason)
        work.record(AuditEvent(at, by, what))
    resumed = _move(again, EntryStatus.ACTIVE, (ReferenceResumed, reason), records, by, at)
    return ahead, resumed


def _suspended_by_us(records: Records) -> list[str]:
    """Return ids of entries that OpenLFR suspended, and that no person has changed since then."""
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
    for start in range(0, len(ids), MAX_PER_TRANSACTION):
        with records.unit_of_work() as work:
            for entry in work.watchlist.change_entry_status(
                ids[start : start + MAX_PER_TRANSACTION], to, at
            ):
                what: ActDetails = kind(entry.reference_id, entry.subject, entry.watchlist, reason)
                work.record(AuditEvent(at, by, what))
                moved.append(entry)
    return moved
