"""Conditions for the erasure of alerts, and alerts whose row differs from their decisions.

An alert's row repeats the deadlines that follow from its verdicts and outcomes. Every account that
may write to the database can change the row, but the database refuses to change verdicts and
outcomes. So an alert is also due if its verdicts and outcomes imply the deadline, whatever the row
states. No alert is erased before its verdicts and outcomes imply the erasure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.cases import read_case
from openlfr.adapters.sql.tables import alert_events, alerts, holds, outcomes, verdicts, withdrawals
from openlfr.domain.adjudication import VerdictKind
from openlfr.domain.alerts import Adjudication, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from openlfr.domain.adjudication import Case

_DEADLINES = ("settle_at", "erase_at")


def has_hold(now: datetime) -> sa.ColumnElement[bool]:
    """Condition that a hold prevents the erasure of the alert."""
    return sa.exists().where(
        holds.c.alert_id == alerts.c.alert_id,
        holds.c.released_at.is_(None),
        holds.c.expires_at > now,
    )


def is_retained(now: datetime) -> sa.ColumnElement[bool]:
    """Condition that a hold, or the time for a complaint, prevents the erasure of the alert.

    The seal is read from the outcomes, which the database refuses to change.
    """
    return sa.or_(has_hold(now), is_refuted(outcomes.c.sealed_until > now))


def is_refuted(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Condition that the latest outcome of the alert is *refuted*, and meets further conditions.

    The row of the alert is not read, since it can be altered.
    """
    later = outcomes.alias()
    is_replaced = sa.exists().where(
        later.c.alert_id == outcomes.c.alert_id,
        later.c.known_at > outcomes.c.known_at,
        later.c.outcome != str(Outcome.REFUTED),
    )
    return sa.exists().where(
        outcomes.c.alert_id == alerts.c.alert_id,
        outcomes.c.outcome == str(Outcome.REFUTED),
        ~is_replaced,
        *conditions,
    )


def has_personal_data() -> sa.ColumnElement[bool]:
    """Condition that the alert, or one of its events, is not erased."""
    has_unerased_event = sa.exists().where(
        alert_events.c.alert_id == alerts.c.alert_id,
        sa.or_(alert_events.c.evidence.is_not(None), alert_events.c.w > 0),
    )
    return sa.or_(alerts.c.erased_at.is_(None), has_unerased_event)


def select_settlements(now: datetime) -> sa.Select[tuple[str]]:
    """Query for alerts with a first verdict that must be final by now, but is not yet."""
    settled = verdicts.alias()
    is_settled = sa.exists().where(
        settled.c.alert_id == verdicts.c.alert_id,
        settled.c.kind == str(VerdictKind.SETTLED),
        settled.c.decided_at >= verdicts.c.decided_at,
    )
    is_withdrawn = sa.exists().where(withdrawals.c.verdict_id == verdicts.c.verdict_id)
    first_kinds = (str(VerdictKind.FIRST), str(VerdictKind.LATE))
    return sa.select(verdicts.c.alert_id).where(
        verdicts.c.kind.in_(first_kinds), verdicts.c.settle_at <= now, ~is_settled, ~is_withdrawn
    )


def may_be_erased(now: datetime) -> sa.ColumnElement[bool]:
    """Condition that the row, a verdict or an outcome may imply the erasure of an alert."""
    ends_seal = sa.select(outcomes.c.alert_id).where(outcomes.c.sealed_until <= now)
    denies = sa.select(verdicts.c.alert_id).where(
        verdicts.c.adjudication == str(Adjudication.DO_NOT_ENGAGE),
        sa.or_(verdicts.c.kind == str(VerdictKind.SETTLED), verdicts.c.settle_at <= now),
    )
    return sa.or_(
        alerts.c.erase_at <= now, alerts.c.alert_id.in_(ends_seal), alerts.c.alert_id.in_(denies)
    )


def must_settle(connection: Connection, alert_id: str, now: datetime) -> bool:
    """Return whether the verdicts of an alert imply that its first verdict is final by now."""
    settle_at = read_case(connection, alert_id).settle_at
    return settle_at is not None and settle_at <= now


def must_erase(
    connection: Connection, alert_id: str, recorded: datetime | None, now: datetime
) -> bool:
    """Return whether the decisions of an alert imply its erasure by now.

    Args:
        connection: A connection.
        alert_id: Id of the alert.
        recorded: Deadline in the alert's row; used only for an outcome *refuted* of an older
            version, which has no deadline of its own.
        now: Present time, UTC.
    """
    case = read_case(connection, alert_id)
    erase_at = recorded if _lacks_deadline(case) else case.erase_at
    return erase_at is not None and erase_at <= now


def _lacks_deadline(case: Case) -> bool:
    return case.is_sealed and case.erase_at is None


def find_alterations(connection: Connection, unerased: Collection[str]) -> dict[str, str]:
    """Compare the deadlines in the rows of alerts with the deadlines that decisions imply.

    Returns:
        For each alert that differs, the differences as a sentence part.
    """
    alterations = {}
    columns = [alerts.c[name] for name in _DEADLINES]
    for alert_id in unerased:
        row = connection.execute(sa.select(*columns).where(alerts.c.alert_id == alert_id)).one()
        case = read_case(connection, alert_id)
        differences = [
            f"{name} is {_format(recorded)}, but its decisions imply {_format(implied)}"
            for name, recorded in zip(_DEADLINES, row, strict=True)
            if (implied := getattr(case, name)) is not None and recorded != implied
        ]
        if row.erase_at is not None and case.erase_at is None and not _lacks_deadline(case):
            differences.append(
                f"erase_at is {_format(row.erase_at)}, but its decisions imply no erasure"
            )
        if differences:
            alterations[alert_id] = "; ".join(differences)
    return alterations


def _format(moment: datetime | None) -> str:
    return "empty" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
