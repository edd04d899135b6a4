"""Names and words of acts on watchlist entries become erasable, as for acts on alerts.

Names and words of earlier acts remain in the audit log, since the log is never changed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column with the kind of object."""
    op.drop_index("ix_act_words_alert_id", "act_words")
    op.execute("ALTER TABLE act_words RENAME COLUMN alert_id TO object_id")
    op.create_index("ix_act_words_object_id", "act_words", ["object_id"])
    kind = sa.Column("object_kind", sa.String(length=64), nullable=False, server_default="alert")
    op.add_column("act_words", kind)
