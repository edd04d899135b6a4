"""On SQLite no act can be replaced: that deletes a row, and asks no trigger of a deletion."""

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
"""By what a row can be taken for another one; the number that SQLite gives each row, too."""

_TRIGGER = """
CREATE TRIGGER {table}_refuse_REPLACE BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} AS known WHERE {same})
BEGIN SELECT RAISE(ABORT, '{what} are append-only'); END
"""


def upgrade() -> None:
    """Refuse a row of whose key one stands there already."""
    if op.get_bind().dialect.name == "postgresql":
        return  # its triggers are asked whatever changes a row
    for table, keys in _KEYS.items():
        same = " OR ".join(f"known.{key} = NEW.{key}" for key in keys)
        op.execute(_TRIGGER.format(table=table, same=same, what=table.replace("_", " ")))
