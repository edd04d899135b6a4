"""Baselines become append-only, like the acts that opened them."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_POSTGRESQL = """
CREATE TRIGGER baselines_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON baselines
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
_SQLITE = """
CREATE TRIGGER baselines_refuse_{verb} BEFORE {verb} ON baselines
BEGIN SELECT RAISE(ABORT, 'baselines are append-only'); END
"""
_NO_REPLACING = """
CREATE TRIGGER baselines_refuse_REPLACE BEFORE INSERT ON baselines
WHEN EXISTS (
    SELECT 1 FROM baselines AS known
    WHERE (known.deployment = NEW.deployment AND known.number = NEW.number)
    OR known.rowid = NEW.rowid
)
BEGIN SELECT RAISE(ABORT, 'baselines are append-only'); END
"""  # REPLACE does not run the DELETE trigger


def upgrade() -> None:
    """Create triggers that refuse every change of a row."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(_SQLITE.format(verb=verb))
    op.execute(_NO_REPLACING)
