"""Verdicts and outcomes become rows; alerts get a lifetime and a state."""

import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_LIFE = timedelta(minutes=3)
_NAMESPACE = uuid.UUID("0c6dbb70-7d6c-4a66-9a4c-0a6f6c667272")  # namespace of ids for older records
_APPEND_ONLY = ("verdicts", "withdrawals", "outcomes")

_SQLITE_APPEND_ONLY = """
CREATE TRIGGER {table}_refuse_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END
"""
_POSTGRESQL_REFUSAL = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% are append-only', TG_TABLE_NAME; END $$
"""
_POSTGRESQL_APPEND_ONLY = """
CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    """Create the tables, move decisions into them, and mark older alerts as lapsed."""
    _make_tables()
    _extend_alerts()
    _move_decisions()
    _end_duplicates()
    op.drop_column("alerts", "decided_by")
    taking_in = sa.text("lapsed_at IS NULL AND closed_at IS NULL")
    op.create_index(
        "uq_alerts_taking_in", "alerts", ["deployment", "subject"], unique=True,
        sqlite_where=taking_in, postgresql_where=taking_in,
    )  # fmt: skip
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL_REFUSAL)
        for table in _APPEND_ONLY:
            op.execute(_POSTGRESQL_APPEND_ONLY.format(table=table))
    else:
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(_SQLITE_APPEND_ONLY.format(table=table, verb=verb))


def _make_tables() -> None:
    op.create_table(
        "verdicts",
        sa.Column("verdict_id", sa.String(length=36), nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("adjudication", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("final_at", UtcDateTime(), nullable=False),
        sa.Column("settle_at", UtcDateTime(), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert_id"], name="fk_verdicts_alert_id"),
        sa.PrimaryKeyConstraint("verdict_id", name="pk_verdicts"),
    )
    op.create_index("ix_verdicts_alert_id", "verdicts", ["alert_id"])
    op.create_table(
        "withdrawals",
        sa.Column("verdict_id", sa.String(length=36), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["verdict_id"], ["verdicts.verdict_id"], name="fk_withdrawals_verdict_id"
        ),
        sa.PrimaryKeyConstraint("verdict_id", name="pk_withdrawals"),
    )
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.String(length=36), nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("minutes_stopped", sa.Integer(), nullable=True),
        sa.Column("sealed_until", UtcDateTime(), nullable=True),
        sa.Column("known_at", UtcDateTime(), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert_id"], name="fk_outcomes_alert_id"),
        sa.PrimaryKeyConstraint("outcome_id", name="pk_outcomes"),
    )
    op.create_index("ix_outcomes_alert_id", "outcomes", ["alert_id"])
    op.create_table(
        "verdict_outbox",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("row_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_verdict_outbox"),
    )
    counters = sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    names = ("verdicts", "verdicts_published")
    op.bulk_insert(counters, [{"name": name, "value": 0} for name in names])


def _extend_alerts() -> None:
    for column in (
        sa.Column("recording", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("lapse_at", UtcDateTime(), nullable=True),
        sa.Column("lapsed_at", UtcDateTime(), nullable=True),
        sa.Column("reopened_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("state", sa.String(length=16), nullable=False, server_default="open"),
        sa.Column("settle_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("erase_at", UtcDateTime(), nullable=True),
    ):
        op.add_column("alerts", column)
    op.add_column("alert_events", sa.Column("rejected_at", UtcDateTime(), nullable=True))
    op.create_index("ix_alerts_last_at_alert_id", "alerts", ["last_at", "alert_id"])
    for name in ("settle_at", "erase_at", "lapse_at"):
        op.create_index(f"ix_alerts_{name}", "alerts", [name])


_alerts = sa.table(
    "alerts",
    *(sa.column(name, sa.String) for name in ("alert_id", "deployment", "subject", "state")),
    *(sa.column(name, sa.String) for name in ("adjudication", "outcome", "decided_by")),
    *(
        sa.column(name, UtcDateTime)
        for name in ("opened_at", "last_at", "decided_at", "lapse_at", "lapsed_at")
    ),
    *(sa.column(name, UtcDateTime) for name in ("closed_at", "erase_at", "erased_at")),
    sa.column("recording", sa.Boolean),
)


def _move_decisions() -> None:
    """Insert a verdict and an outcome, no longer to be undone, for each recorded decision."""
    connection = op.get_bind()
    events = sa.table(
        "audit_events",
        *(sa.column(name, sa.String) for name in ("event_id", "kind", "object_id")),
        sa.column("position", sa.BigInteger),
    )
    acts = {
        (row.object_id, row.kind): row.event_id
        for row in connection.execute(
            sa.select(events)
            .where(events.c.kind.in_(("alert.decided", "alert.outcome")))
            .order_by(events.c.position)
        )
    }
    for row in connection.execute(sa.select(_alerts)).all():
        at = row.decided_at
        values = {"recording": True, "lapse_at": row.last_at + _LIFE}
        decided = acts.get((row.alert_id, "alert.decided"), "")
        if row.adjudication is not None:
            values["state"] = "settled"
            for kind, event_id in (("first", decided), ("settled", "")):
                op.bulk_insert(
                    _table("verdicts", "decided_at", "final_at", "settle_at"),
                    [
                        {
                            "verdict_id": _id(kind, row.alert_id), "alert_id": row.alert_id,
                            "kind": kind, "adjudication": row.adjudication, "reason": None,
                            "decided_at": at, "final_at": at, "settle_at": at,
                            "event_id": event_id,
                        }
                    ],
                )  # fmt: skip
            if row.adjudication == "do_not_engage":
                values |= {"state": "closed", "closed_at": at, "erase_at": at}
        if row.outcome is not None:
            op.bulk_insert(
                _table("outcomes", "sealed_until", "known_at"),
                [
                    {
                        "outcome_id": _id("outcome", row.alert_id), "alert_id": row.alert_id,
                        "outcome": row.outcome, "minutes_stopped": None,
                        "sealed_until": at if row.outcome == "refuted" else None, "known_at": at,
                        "event_id": acts.get((row.alert_id, "alert.outcome"), decided),
                    }
                ],
            )  # fmt: skip
            values |= {"state": "closed", "closed_at": at}
            if row.outcome == "refuted":
                values["erase_at"] = at
        connection.execute(
            sa.update(_alerts).where(_alerts.c.alert_id == row.alert_id).values(**values)
        )


def _end_duplicates() -> None:
    """Mark all alerts of a subject as lapsed, except the latest alert."""
    connection = op.get_bind()
    latest = set()
    query = sa.select(_alerts).where(_alerts.c.closed_at.is_(None))
    for row in connection.execute(query.order_by(_alerts.c.last_at.desc(), "alert_id")).all():
        if (row.deployment, row.subject) in latest or row.erased_at is not None:
            connection.execute(
                sa.update(_alerts)
                .where(_alerts.c.alert_id == row.alert_id)
                .values(lapsed_at=row.last_at + _LIFE)
            )
        else:
            latest.add((row.deployment, row.subject))


def _table(name: str, *moments: str) -> sa.TableClause:
    words = {
        "verdicts": ("verdict_id", "alert_id", "kind", "adjudication", "reason", "event_id"),
        "outcomes": ("outcome_id", "alert_id", "outcome", "event_id"),
    }[name]
    columns: list[sa.ColumnClause[Any]] = [sa.column(each, sa.String) for each in words]
    columns += [sa.column(each, UtcDateTime) for each in moments]
    if name == "outcomes":
        columns.append(sa.column("minutes_stopped", sa.Integer))
    return sa.table(name, *columns)


def _id(what: str, alert_id: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{what}\x1f{alert_id}"))
