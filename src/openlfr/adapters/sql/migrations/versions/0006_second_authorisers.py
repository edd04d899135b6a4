"""Who allowed a picture to be listed under two names, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give watchlist entries a second authoriser; those that were recorded before have none."""
    for name in ("second_authoriser", "second_reason"):
        column = sa.Column(name, sa.String(), nullable=False, server_default="")
        op.add_column("watchlist_references", column)
