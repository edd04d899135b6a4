"""Alerts that were merged into another alert."""

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of merged alerts, and the index of open alerts."""
    op.create_table(
        "merged_alerts",
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("into", sa.String(length=36), nullable=False),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["into"], ["alerts.alert_id"], name="fk_merged_alerts_into"),
        sa.PrimaryKeyConstraint("alert_id", name="pk_merged_alerts"),
    )
    op.create_index("ix_alerts_deployment_subject", "alerts", ["deployment", "subject"])
