"""Tallies count control subjects separately, and how long and how well a camera was watched."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NUMBERS = (
    "tracks_control",
    "tracks_matched_control",
    "tracks_nobody_listed",
    "watched_us",
    "unwatched_no_frames_us",
    "unwatched_late_us",
    "unwatched_unreadable_us",
    "unwatched_outside_hours_us",
)
HISTOGRAMS = ("fine_scores", "control_scores", "measures")


def upgrade() -> None:
    """Add the columns; in earlier tallies they are empty or 0."""
    for name in NUMBERS:
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("tallies", column)
    for name in HISTOGRAMS:
        op.add_column("tallies", sa.Column(name, sa.JSON(), nullable=False, server_default="{}"))
    baseline = sa.Column("baseline", sa.String(64), nullable=False, server_default="")
    op.add_column("tallies", baseline)
