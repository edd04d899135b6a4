"""Tallies count the tracks that began, that matched, and that were discarded before their end."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ADDED = (
    "tracks_begun",
    "tracks_matched",
    "tracks_lost_interrupted",
    "tracks_lost_moved",
    "tracks_lost_failed",
)


def upgrade() -> None:
    """Add the counts; earlier tallies counted only ended tracks."""
    for name in ADDED:
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("tallies", column)
    op.execute("UPDATE tallies SET tracks_begun = tracks_closed")
