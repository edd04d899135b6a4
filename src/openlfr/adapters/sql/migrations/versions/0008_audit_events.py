"""Acts become audit events with account and issuer, numbered in the order of their commits."""

import json
import uuid

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NAMESPACE = uuid.UUID(
    "0c6dbb70-7d6c-4a66-9a4c-0a6f6c667272"
)  # namespace of the ids of earlier acts

_SQLITE_APPEND_ONLY = """
CREATE TRIGGER audit_events_refuse_{verb} BEFORE {verb} ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END
"""
_POSTGRESQL_REFUSAL = """
CREATE FUNCTION refuse_change_of_audit_events() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit events are append-only'; END $$
"""
_POSTGRESQL_APPEND_ONLY = """
CREATE TRIGGER audit_events_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_events()
"""


def upgrade() -> None:
    """Create the audit log and move the rows of `acts` into it, in their order."""
    audit_events = op.create_table(
        "audit_events",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("principal", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("object_kind", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_audit_events"),
        sa.UniqueConstraint("event_id", name="uq_audit_events_event_id"),
    )
    op.create_index(
        "ix_audit_events_object_kind_object_id", "audit_events", ["object_kind", "object_id"]
    )
    connection = op.get_bind()
    acts = sa.table(
        "acts",
        sa.column("id", sa.Integer),
        sa.column("at", UtcDateTime),
        *(sa.column(name, sa.String) for name in ("actor", "act", "object_kind", "object_id")),
        sa.column("detail", sa.JSON),
    )
    moved = [
        {
            "position": position,
            "event_id": str(uuid.uuid5(_NAMESPACE, str(row.id))),
            "at": row.at,
            # Earlier acts contain only a name.
            "issuer": "openlfr" if row.actor == "system" else "local",
            "principal": "system" if row.actor == "system" else "",
            "name": row.actor,
            "roles": [],
            "kind": row.act,
            "object_kind": row.object_kind,
            "object_id": row.object_id,
            "detail": row.detail if isinstance(row.detail, dict) else json.loads(row.detail),
        }
        for position, row in enumerate(connection.execute(sa.select(acts).order_by("id")), 1)
    ]
    if moved:
        op.bulk_insert(audit_events, moved)
    op.bulk_insert(
        sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.BigInteger)),
        [{"name": "audit", "value": len(moved)}],
    )
    op.drop_table("acts")
    if connection.dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_acts()")
        op.execute(_POSTGRESQL_REFUSAL)
        op.execute(_POSTGRESQL_APPEND_ONLY)
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE_APPEND_ONLY.format(verb=verb))
