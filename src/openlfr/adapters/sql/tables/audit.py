"""Tables of the audit log: acts, and the words of acts that can be erased."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, String, Table

from openlfr.adapters.sql.tables.base import UtcDateTime, metadata

# Append-only: triggers refuse UPDATE and DELETE. `position` comes from the counter "audit".
audit_events = Table(
    "audit_events",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("issuer", String, nullable=False),
    Column("principal", String, nullable=False),  # the account at the issuer
    Column("name", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("object_kind", String(64), nullable=False),
    Column("object_id", String, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "object_kind", "object_id"),
)

# The erasable parts of an act on an alert or an entry: the actor's name, and words that name
# somebody. `audit_events`, which cannot be changed, contains a salted hash of each part, so that a
# replaced part is detected.
act_words = Table(
    "act_words",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("object_id", String(36), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("name", String, nullable=False),  # "" if erased
    Column("name_salt", String(64), nullable=False),
    Column("words", String, nullable=False),  # JSON; "" if erased, or without words
    Column("words_salt", String(64), nullable=False),
    Column("object_kind", String(64), nullable=False, server_default="alert"),
    Index(None, "object_id"),
)
