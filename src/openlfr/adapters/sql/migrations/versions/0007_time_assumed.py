"""Whether the time of a sighting's film is assumed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column to alert events; for earlier events it is unknown."""
    op.add_column("alert_events", sa.Column("time_assumed", sa.Boolean(), nullable=True))
