"""Tallies count frames skipped by a pause separately from frames outside the hours."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NUMBERS = ("frames_paused", "tracks_lost_paused", "unwatched_paused_us")


def upgrade() -> None:
    """Add the columns; earlier tallies counted pauses as outside the hours or interrupted."""
    for name in NUMBERS:
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("tallies", column)
