"""The second authoriser of a picture listed under two names, and the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns to watchlist entries; earlier entries have no second authoriser."""
    for name in ("second_authoriser", "second_reason"):
        column = sa.Column(name, sa.String(), nullable=False, server_default="")
        op.add_column("watchlist_references", column)
