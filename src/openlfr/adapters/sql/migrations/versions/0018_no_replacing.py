"""Triggers on SQLite reject REPLACE on acts, which would bypass the DELETE trigger."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KEYS = {
    "audit_events": ("position", "event_id", "rowid"),
    "verdicts": ("verdict_id", "rowid"),
    "withdrawals": ("verdict_id", "rowid"),
    "outcomes": ("outcome_id", "rowid"),
}
"""Unique columns of acts, including SQLite's row number."""

_TRIGGER = """
CREATE TRIGGER {table}_refuse_REPLACE BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} AS known WHERE {same})
BEGIN SELECT RAISE(ABORT, '{what} are append-only'); END
"""


def upgrade() -> None:
    """Create triggers that refuse an insert whose key exists."""
    if op.get_bind().dialect.name == "postgresql":
        return  # PostgreSQL's triggers run on every change of a row
    for table, keys in _KEYS.items():
        same = " OR ".join(f"known.{key} = NEW.{key}" for key in keys)
        op.execute(_TRIGGER.format(table=table, same=same, what=table.replace("_", " ")))
