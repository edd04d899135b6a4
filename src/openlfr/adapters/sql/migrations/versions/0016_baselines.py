"""Baselines become records, and a tally contains the first use of its baseline."""

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the columns; earlier tallies have no baseline."""
    op.create_table(
        "baselines",
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("baseline_id", sa.String(64), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "number", name="pk_baselines"),
    )
    op.add_column("tallies", sa.Column("baseline_since", UtcDateTime(), nullable=True))
