"""Outbox of verdicts.v1: verdicts, withdrawals and outcomes, in the order of their commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.act_words import COLUMNS, restore_act
from openlfr.adapters.sql.engine import reading
from openlfr.domain.adjudication import Reason, VerdictKind
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.principals import SYSTEM
from openlfr.domain.verdicts import VerdictEvent, withdrawal_id_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

_OUTBOX, _ALERTS, _ACTS = tables.verdict_outbox, tables.alerts, tables.audit_events
_VERDICTS, _WITHDRAWN, _OUTCOMES = tables.verdicts, tables.withdrawals, tables.outcomes
_PUBLISHED = tables.counters.c.name == "verdicts_published"


class VerdictOutbox:
    """The outbox of one database, with the number of the last published event."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unpublished_events(self, limit: int) -> list[tuple[int, VerdictEvent | None]]:
        """Return the oldest unpublished events with their numbers; None for an erased event."""
        with reading(self._engine) as connection:
            rows = connection.execute(_select_unpublished(connection, limit)).all()
            return [(row.number, _event_of(connection, row)) for row in rows]

    def mark_published(self, number: int) -> None:
        """Record that every event up to and including this number was published."""
        counters = tables.counters
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(counters)
                .where(_PUBLISHED, counters.c.value < number)
                .values(value=number)
            )


def _select_unpublished(connection: Connection, limit: int) -> sa.Select[Any]:
    last = connection.scalar(sa.select(tables.counters.c.value).where(_PUBLISHED)) or 0
    return (
        sa.select(_OUTBOX, _ALERTS.c.deployment)
        .outerjoin(_ALERTS, _ALERTS.c.alert_id == _OUTBOX.c.alert_id)
        .where(_OUTBOX.c.number > last)
        .order_by(_OUTBOX.c.number)
        .limit(limit)
    )


def _event_of(connection: Connection, row: Any) -> VerdictEvent | None:
    """Return the event of one row of the outbox; None if the event was erased."""
    if row.kind == "outcome":
        query = _with_act(_OUTCOMES, _OUTCOMES.c.event_id).where(
            _OUTCOMES.c.outcome_id == row.row_id
        )
    elif row.kind == "withdrawal":
        query = _with_act(_WITHDRAWN, _WITHDRAWN.c.event_id).where(
            _WITHDRAWN.c.verdict_id == row.row_id
        )
    else:
        query = _with_act(_VERDICTS, _VERDICTS.c.event_id).where(
            _VERDICTS.c.verdict_id == row.row_id
        )
    decision = connection.execute(query).one_or_none()
    if decision is None or row.deployment is None:
        return None
    decided_by = restore_act(decision)[0] or (decision.principal or SYSTEM.name)
    if row.kind == "outcome":
        return VerdictEvent(
            decision.outcome_id,
            row.deployment,
            row.alert_id,
            decided_by,
            decided_at=decision.known_at,
            outcome=Outcome(decision.outcome),
            minutes_stopped=decision.minutes_stopped,
            issuer=decision.issuer or "",
            account=decision.principal or "",
        )
    if row.kind == "withdrawal":
        return VerdictEvent(
            withdrawal_id_of(decision.verdict_id),
            row.deployment,
            row.alert_id,
            decided_by,
            decided_at=decision.withdrawn_at,
            withdraws=decision.verdict_id,
            issuer=decision.issuer or "",
            account=decision.principal or "",
        )
    return VerdictEvent(
        decision.verdict_id,
        row.deployment,
        row.alert_id,
        decided_by,
        decided_at=decision.decided_at,
        adjudication=Adjudication(decision.adjudication),
        kind=VerdictKind(decision.kind),
        reason=Reason(decision.reason) if decision.reason else None,
        final_at=decision.final_at,
        issuer=decision.issuer or "",
        account=decision.principal or "",
    )


def _with_act(table: sa.Table, event_id: sa.ColumnElement[str]) -> sa.Select[Any]:
    acts = (*(_ACTS.c[name] for name in ("issuer", "principal", "name", "detail")), *COLUMNS)
    return (
        sa.select(table, *acts)
        .outerjoin(_ACTS, _ACTS.c.event_id == event_id)
        .outerjoin(tables.act_words, tables.act_words.c.event_id == _ACTS.c.event_id)
    )
