"""Tables of the watchlist: its entries, counters of changes, and the model of its templates."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from openlfr.adapters.sql.tables.base import UtcDateTime, metadata

_IS_REMOVED = "status IN ('removed', 'refused')"
AUTHORITY = {
    "is_complete": f"{_IS_REMOVED} OR (subject <> '' AND category <> '' AND legal_basis <> ''"
    " AND source <> '' AND enrolled_by <> '' AND authorised_by <> '' AND length(entry_hash) = 64)",
    "is_of_two_people": f"{_IS_REMOVED} OR enrolled_by <> authorised_by",
}
"""Constraints on every listed entry. Alterations of a valid entry are detected by comparing it with
the audit log (`domain/entry_acts.py`)."""

# `references` is a reserved word of SQL, hence the longer name in the database.
references = Table(
    "watchlist_references",
    metadata,
    Column("reference_id", String(36), primary_key=True),
    Column("watchlist", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("category", String(64), nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("source", String, nullable=False),
    Column("captured_on", Date, nullable=False),
    Column("enrolled_by", String, nullable=False),
    Column("authorised_by", String, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("template_hash", String(64), nullable=False),
    Column("entry_hash", String(64), nullable=False),  # by domain.watchlist.hash_entry
    Column("picture", String, nullable=False),  # name in the vault; "" if erased
    Column("picture_hash", String(64), nullable=False),  # SHA-256 of the imported file's bytes
    Column("quality", Float, nullable=False),
    Column("note", String, nullable=False, default=""),
    Column("second_authoriser", String, nullable=False, server_default=""),
    Column("second_reason", String, nullable=False, server_default=""),
    # The encrypted template, until it is in the vector store; NULL afterwards.
    Column("template", LargeBinary, nullable=True),
    # False while the vector store or the vault does not match this row.
    Column("settled", Boolean, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column(
        "version", BigInteger, nullable=False
    ),  # the watchlist's version at this row's last change
    Index(None, "watchlist", "subject"),
    *(CheckConstraint(rule, name=name) for name, rule in AUTHORITY.items()),
    Index(None, "version"),
    Index(None, "settled"),
)

# One row per counter: "watchlist" counts the changes of `references` and `deployments`, "audit"
# counts acts. A writer updates its counter first, which locks the row, so that versions are in the
# order of commits. Every transaction counts its acts last: all lock both rows in the same order.
counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

gallery_facts = Table(
    "gallery_facts",
    metadata,
    Column("model_sha256", String(64), primary_key=True),
    Column("model_name", String, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("alignment", String(64), nullable=False),
    Column("default_threshold", Float, nullable=False),
    Column("first_used_at", UtcDateTime, nullable=False),
)
