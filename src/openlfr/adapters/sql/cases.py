"""Cases in SQL: rows of verdicts and outcomes are added, and the alert's row is updated.

The author of a decision and the author's words are stored only in the audit event of its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.adapters.sql.act_words import COLUMNS, restore_act
from openlfr.adapters.sql.tables import act_words
from openlfr.domain.adjudication import (
    Case,
    Judgement,
    Reason,
    RecordedOutcome,
    Verdict,
    VerdictKind,
)
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import Conflict
from openlfr.domain.principals import LOCAL, SYSTEM, Principal, Role

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_ALERTS, _ACTS = tables.alerts, tables.audit_events
_VERDICTS, _WITHDRAWN, _OUTCOMES = tables.verdicts, tables.withdrawals, tables.outcomes
_OUTBOX, _COUNTERS = tables.verdict_outbox, tables.counters
_ACT_COLUMNS = (
    *(_ACTS.c[name] for name in ("issuer", "principal", "name", "roles", "detail")),
    *COLUMNS,
)
_UNNUMBERED = sa.case((_VERDICTS.c.kind == str(VerdictKind.SETTLED), sa.literal(2**62)), else_=0)
"""Order of rows without an act, from older versions: a final verdict follows the first verdict."""
_ORDER = _ACTS.c.position  # not the time of the act, since a clock may be set back


def read_case(connection: Connection, alert_id: str) -> Case:
    """Read an alert's case: its verdicts and outcomes."""
    row = connection.execute(sa.select(_ALERTS).where(_ALERTS.c.alert_id == alert_id)).one()
    verdict_rows = (
        sa.select(_VERDICTS, _WITHDRAWN.c.withdrawn_at, *_ACT_COLUMNS)
        .outerjoin(_WITHDRAWN, _WITHDRAWN.c.verdict_id == _VERDICTS.c.verdict_id)
        .outerjoin(_ACTS, _ACTS.c.event_id == _VERDICTS.c.event_id)
        .outerjoin(act_words, act_words.c.event_id == _ACTS.c.event_id)
        .where(_VERDICTS.c.alert_id == alert_id)
        .order_by(sa.func.coalesce(_ORDER, _UNNUMBERED), _VERDICTS.c.decided_at, _VERDICTS.c.kind)
    )
    outcome_rows = (
        sa.select(_OUTCOMES, *_ACT_COLUMNS)
        .outerjoin(_ACTS, _ACTS.c.event_id == _OUTCOMES.c.event_id)
        .outerjoin(act_words, act_words.c.event_id == _ACTS.c.event_id)
        .where(_OUTCOMES.c.alert_id == alert_id)
        .order_by(sa.func.coalesce(_ORDER, 0), _OUTCOMES.c.known_at, _OUTCOMES.c.outcome_id)
    )
    return Case(
        alert_id=alert_id,
        version=row.version,
        verdicts=tuple(map(_verdict_of, connection.execute(verdict_rows))),
        outcomes=tuple(map(_outcome_of, connection.execute(outcome_rows))),
        lapse_at=None if row.recording else row.lapse_at,
        lapsed_at=row.lapsed_at,
        reopened_at=row.reopened_at,
    )


def append_changes(connection: Connection, before: Case, after: Case, event_id: str) -> None:
    """Insert the verdicts and outcomes that are new in `after`, and update the alert's row.

    Args:
        connection: A connection in a writing transaction.
        before: The case that `read_case` returned.
        after: The case after a rule of `domain.adjudication`.
        event_id: Id of the audit event recorded with the change.

    Raises:
        Conflict: The alert has changed since `before` was read.
    """
    verdict, outcome = after.verdict, after.outcome
    decided = (outcome.at if outcome else None) or (verdict.decided_at if verdict else None)
    changed = connection.execute(
        sa.update(_ALERTS)
        .where(_ALERTS.c.alert_id == after.alert_id, _ALERTS.c.version == before.version)
        .values(
            version=after.version,
            lapsed_at=after.lapsed_at,
            reopened_at=after.reopened_at,
            state=str(after.state),
            adjudication=verdict and str(verdict.adjudication),
            outcome=outcome and str(outcome.outcome),
            decided_at=decided,
            settle_at=after.settle_at,
            closed_at=after.closed_at,
            erase_at=after.erase_at,
        )
    )
    if not changed.rowcount:
        raise Conflict(read_case(connection, after.alert_id).changed_since(before.version))
    _add_rows(connection, before, after, event_id)


def _add_rows(connection: Connection, before: Case, after: Case, event_id: str) -> None:
    recorded = {each.verdict_id: each for each in before.verdicts}
    for each in after.verdicts:
        if each.verdict_id not in recorded:
            connection.execute(
                sa.insert(_VERDICTS).values(
                    verdict_id=each.verdict_id,
                    alert_id=after.alert_id,
                    kind=str(each.kind),
                    adjudication=str(each.adjudication),
                    reason=each.judgement.reason and str(each.judgement.reason),
                    decided_at=each.decided_at,
                    final_at=each.final_at,
                    settle_at=each.settle_at,
                    event_id=event_id,
                )
            )
            _add_to_outbox(connection, after.alert_id, "verdict", each.verdict_id)
        elif each.withdrawn_at is not None and recorded[each.verdict_id].withdrawn_at is None:
            connection.execute(
                sa.insert(_WITHDRAWN).values(
                    verdict_id=each.verdict_id, withdrawn_at=each.withdrawn_at, event_id=event_id
                )
            )
            _add_to_outbox(connection, after.alert_id, "withdrawal", each.verdict_id)
    for one in after.outcomes[len(before.outcomes) :]:
        connection.execute(
            sa.insert(_OUTCOMES).values(
                outcome_id=one.outcome_id,
                alert_id=after.alert_id,
                outcome=str(one.outcome),
                minutes_stopped=one.minutes_stopped,
                sealed_until=one.sealed_until,
                known_at=one.at,
                event_id=event_id,
            )
        )
        _add_to_outbox(connection, after.alert_id, "outcome", one.outcome_id)


def _add_to_outbox(connection: Connection, alert_id: str, kind: str, row_id: str) -> None:
    """Add a row to the outbox of verdicts.v1.

    On PostgreSQL other transactions with a verdict wait here until this transaction ends.
    """
    is_counter = _COUNTERS.c.name == "verdicts"
    connection.execute(sa.update(_COUNTERS).where(is_counter).values(value=_COUNTERS.c.value + 1))
    number = connection.scalar(sa.select(_COUNTERS.c.value).where(is_counter))
    connection.execute(
        sa.insert(_OUTBOX).values(number=number, alert_id=alert_id, kind=kind, row_id=row_id)
    )


def _verdict_of(row: Any) -> Verdict:
    kind = VerdictKind(row.kind)
    reason = Reason(row.reason) if row.reason else None
    return Verdict(
        kind=kind,
        judgement=Judgement(Adjudication(row.adjudication), reason, _words_of(row)),
        by=_actor_of(row, SYSTEM if kind is VerdictKind.SETTLED else Principal(LOCAL, "", "")),
        decided_at=row.decided_at,
        final_at=row.final_at,
        settle_at=row.settle_at,
        withdrawn_at=row.withdrawn_at,
        verdict_id=row.verdict_id,
    )


def _outcome_of(row: Any) -> RecordedOutcome:
    return RecordedOutcome(
        outcome=Outcome(row.outcome),
        by=_actor_of(row, Principal(LOCAL, "", "")),
        at=row.known_at,
        minutes_stopped=row.minutes_stopped,
        sealed_until=row.sealed_until,
        note=_words_of(row),
        outcome_id=row.outcome_id,
    )


def _actor_of(row: Any, otherwise: Principal) -> Principal:
    """Return the actor of a row; `otherwise` for a row of older records, which has no act."""
    if row.issuer is None:
        return otherwise
    name, _ = restore_act(row)
    return Principal(row.issuer, row.principal, name, frozenset(map(Role, row.roles)))


def _words_of(row: Any) -> str:
    _, detail = restore_act(row)
    return str(detail.get("reason", ""))
