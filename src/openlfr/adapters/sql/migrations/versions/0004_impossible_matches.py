"""Flags of sightings that contradict another sighting of the same subject."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the flag to alert events; earlier events have none."""
    op.add_column("alert_events", sa.Column("impossible", sa.JSON(), nullable=True))
