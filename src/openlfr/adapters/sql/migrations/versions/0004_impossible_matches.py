"""What says that a sighting cannot be right beside another one of its subject."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give alert events a flag; those that were recorded before have none."""
    op.add_column("alert_events", sa.Column("impossible", sa.JSON(), nullable=True))
