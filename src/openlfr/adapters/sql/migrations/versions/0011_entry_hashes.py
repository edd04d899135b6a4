"""Hashes over subject, list and template of each entry; an entry requires authority."""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from openlfr.adapters.sql.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LEFT = "status IN ('removed', 'refused')"
_COMPLETE = (
    f"{_LEFT} OR (subject <> '' AND category <> '' AND legal_basis <> ''"
    " AND source <> '' AND enrolled_by <> '' AND authorised_by <> '' AND length(entry_hash) = 64)"
)
_TWO_PEOPLE = f"{_LEFT} OR enrolled_by <> authorised_by"
_WHY = "its authority was not complete, or of one person alone, when the records were upgraded"

_ENTRIES = sa.table(
    "watchlist_references",
    *(sa.column(name) for name in ("reference_id", "subject", "watchlist", "template_hash")),
    *(sa.column(name) for name in ("entry_hash", "status", "note", "version")),
    sa.column("template", sa.LargeBinary),
    sa.column("settled", sa.Boolean),
    sa.column("changed_at", UtcDateTime),
)
_COUNTERS = sa.table("counters", sa.column("name"), sa.column("value"))


def upgrade() -> None:
    """Compute the hash of each entry, and refuse entries without authority."""
    name = "watchlist_references"
    op.add_column(
        name, sa.Column("entry_hash", sa.String(length=64), nullable=False, server_default="")
    )
    connection = op.get_bind()
    made = [
        {"of": row.reference_id, "made": _hash(row)}
        for row in connection.execute(sa.select(_ENTRIES))
    ]
    if made:
        update = sa.update(_ENTRIES).where(_ENTRIES.c.reference_id == sa.bindparam("of"))
        connection.execute(update.values(entry_hash=sa.bindparam("made")), made)
    _refuse_the_incomplete(connection)
    with op.batch_alter_table(name) as table:
        table.alter_column("entry_hash", existing_type=sa.String(length=64), server_default=None)
        table.create_check_constraint(op.f(f"ck_{name}_is_complete"), sa.text(_COMPLETE))
        table.create_check_constraint(op.f(f"ck_{name}_is_of_two_people"), sa.text(_TWO_PEOPLE))


def _hash(row: sa.Row[Any]) -> str:
    """Compute the hash as `domain.watchlist.hash_entry` did at this schema version."""
    digest = hashlib.sha256()
    for text in (row.reference_id, row.subject, row.watchlist, row.template_hash):
        content = text.encode()
        digest.update(len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()


def _refuse_the_incomplete(connection: sa.Connection) -> None:
    """Refuse entries without authority: OpenLFR did not import them, and must not search them."""
    rule = sa.text(f"NOT (({_COMPLETE}) AND ({_TWO_PEOPLE}))")
    found = connection.execute(sa.select(_ENTRIES).where(rule)).all()
    if not found:
        return
    now = datetime.now(UTC)
    version = _count(connection, "watchlist", 1)
    last = _count(connection, "audit", len(found))
    for position, row in enumerate(found, last - len(found) + 1):
        connection.execute(
            sa.update(_ENTRIES)
            .where(_ENTRIES.c.reference_id == row.reference_id)
            .values(
                status="refused", note=_WHY, template=None, settled=False, changed_at=now,
                version=version,
            )
        )  # fmt: skip
        op.bulk_insert(
            sa.table(
                "audit_events",
                *(sa.column(each) for each in ("position", "event_id", "issuer", "principal")),
                *(sa.column(each) for each in ("name", "kind", "object_kind", "object_id")),
                sa.column("at", UtcDateTime),
                sa.column("roles", sa.JSON),
                sa.column("detail", sa.JSON),
            ),
            [
                {
                    "position": position, "event_id": str(uuid.uuid4()), "at": now,
                    "issuer": "openlfr", "principal": "system", "name": "system", "roles": [],
                    "kind": "reference.refused", "object_kind": "reference",
                    "object_id": row.reference_id,
                    "detail": {"subject": row.subject, "note": _WHY},
                }
            ],
        )  # fmt: skip


def _count(connection: sa.Connection, name: str, more: int) -> int:
    ours = _COUNTERS.c.name == name
    connection.execute(sa.update(_COUNTERS).where(ours).values(value=_COUNTERS.c.value + more))
    return int(connection.scalar(sa.select(_COUNTERS.c.value).where(ours)) or 0)
