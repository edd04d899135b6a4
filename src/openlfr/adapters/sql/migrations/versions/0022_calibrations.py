"""Calibrations become records; like baselines, they are append-only."""

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_POSTGRESQL = """
CREATE TRIGGER calibrations_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON calibrations
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
_SQLITE = """
CREATE TRIGGER calibrations_refuse_{verb} BEFORE {verb} ON calibrations
BEGIN SELECT RAISE(ABORT, 'calibrations are append-only'); END
"""
_NO_REPLACING = """
CREATE TRIGGER calibrations_refuse_REPLACE BEFORE INSERT ON calibrations
WHEN EXISTS (
    SELECT 1 FROM calibrations AS known
    WHERE known.calibration_id = NEW.calibration_id OR known.rowid = NEW.rowid
)
BEGIN SELECT RAISE(ABORT, 'calibrations are append-only'); END
"""  # REPLACE does not run the DELETE trigger


def upgrade() -> None:
    """Create the table, and triggers that refuse every change of a row."""
    op.create_table(
        "calibrations",
        sa.Column("calibration_id", sa.String(64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("target_fpir", sa.Float(53), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("calibration_id", name="pk_calibrations"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(_SQLITE.format(verb=verb))
    op.execute(_NO_REPLACING)
