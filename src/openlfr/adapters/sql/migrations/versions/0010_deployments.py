"""Deployments become records with an id; earlier deployments get their name as id."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UNKNOWN = datetime(
    1970, 1, 1, tzinfo=UTC
)  # earlier versions did not record the hours of deployments


def upgrade() -> None:
    """Create the table, and a closed deployment for each name in alerts, runs or tallies."""
    deployments = op.create_table(
        "deployments",
        sa.Column("deployment_id", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("name", "purpose", "place", "legal_basis", "authorised_by")
        ),
        sa.Column("starts", UtcDateTime(), nullable=False),
        sa.Column("ends", UtcDateTime(), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("watchlists", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", name="pk_deployments"),
    )
    op.create_index("ix_deployments_version", "deployments", ["version"])
    known: sa.CompoundSelect[tuple[str]] = sa.union(
        *(
            sa.select(sa.column("deployment")).select_from(sa.table(table))
            for table in ("alerts", "runs", "tallies")
        )
    )
    rows = [
        {
            "deployment_id": name,
            "name": name,
            "purpose": "",
            "place": "",
            "legal_basis": "",
            "authorised_by": "",
            "starts": _UNKNOWN,
            "ends": _UNKNOWN,
            "cameras": [],
            "watchlists": [],
            "status": "closed",
            "revision": 1,
            "drafted_at": _UNKNOWN,
            "changed_at": _UNKNOWN,
            "version": 0,
        }
        for (name,) in op.get_bind().execute(known)
    ]
    if rows:
        op.bulk_insert(deployments, rows)
