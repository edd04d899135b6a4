"""Whether nothing says when a sighting's film was made."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let alert events say it; of those that were recorded before it is not known."""
    op.add_column("alert_events", sa.Column("time_assumed", sa.Boolean(), nullable=True))
