"""Tallies: counts of each camera's frames."""

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of tallies."""
    op.create_table(
        "tallies",
        sa.Column("tally_id", sa.String(length=36), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("reporter", sa.String(length=16), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("first_captured_at", UtcDateTime(), nullable=False),
        sa.Column("last_captured_at", UtcDateTime(), nullable=False),
        sa.Column("frames_sampled_away", sa.BigInteger(), nullable=False),
        sa.Column("frames_dropped_late", sa.BigInteger(), nullable=False),
        sa.Column("frames_outside_hours", sa.BigInteger(), nullable=False),
        sa.Column("frames_unreadable", sa.BigInteger(), nullable=False),
        sa.Column("frames_discarded", sa.BigInteger(), nullable=False),
        sa.Column("frames_analysed", sa.BigInteger(), nullable=False),
        sa.Column("faces_detected", sa.BigInteger(), nullable=False),
        sa.Column("tracks_closed", sa.BigInteger(), nullable=False),
        sa.Column("tracks_searched", sa.BigInteger(), nullable=False),
        sa.Column("tracks_too_small", sa.BigInteger(), nullable=False),
        sa.Column("tracks_too_poor", sa.BigInteger(), nullable=False),
        sa.Column("tracks_too_short", sa.BigInteger(), nullable=False),
        sa.Column("sightings", sa.BigInteger(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tally_id", name="pk_tallies"),
    )
    op.create_index(
        "ix_tallies_deployment_camera_last_captured_at",
        "tallies",
        ["deployment", "camera", "last_captured_at"],
        unique=False,
    )
