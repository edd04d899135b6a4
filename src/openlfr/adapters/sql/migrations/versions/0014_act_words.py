"""Names and words of acts about alerts are stored outside the audit log, so that they are erasable.

Names and words of earlier acts remain in the audit log, since the log is never changed.
"""

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "act_words",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_salt", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("words_salt", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_act_words"),
    )
    op.create_index("ix_act_words_alert_id", "act_words", ["alert_id"])
