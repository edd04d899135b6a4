"""Planned passages of control subjects become append-only records."""

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_KEYS = {
    "passage_plans": ("plan_id",),
    "passage_logs": ("plan_id",),
    "passage_findings": ("plan_id", "camera"),
}

_POSTGRESQL = """
CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
_SQLITE = """
CREATE TRIGGER {table}_refuse_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END
"""
_NO_REPLACING = """
CREATE TRIGGER {table}_refuse_REPLACE BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} AS known WHERE ({same}) OR known.rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END
"""  # REPLACE does not run the DELETE trigger


def upgrade() -> None:
    """Create the tables, and triggers that refuse every change of a row."""
    op.create_table(
        "passage_plans",
        sa.Column("plan_id", sa.String(36), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(36), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name="pk_passage_plans"),
    )
    op.create_index("ix_passage_plans_deployment", "passage_plans", ["deployment"])
    op.create_index("ix_passage_plans_subject_id", "passage_plans", ["subject_id"])
    op.create_table(
        "passage_logs",
        sa.Column("plan_id", sa.String(36), nullable=False),
        sa.Column("begins", UtcDateTime(), nullable=False),
        sa.Column("ends", UtcDateTime(), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("logged_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name="pk_passage_logs"),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["passage_plans.plan_id"], name="fk_passage_logs_plan_id"
        ),
    )
    op.create_table(
        "passage_findings",
        sa.Column("plan_id", sa.String(36), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "camera", name="pk_passage_findings"),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["passage_plans.plan_id"], name="fk_passage_findings_plan_id"
        ),
    )
    for table, keys in _KEYS.items():
        if op.get_bind().dialect.name == "postgresql":
            op.execute(_POSTGRESQL.format(table=table))
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(table=table, verb=verb))
        same = " AND ".join(f"known.{key} = NEW.{key}" for key in keys)
        op.execute(_NO_REPLACING.format(table=table, same=same))
