"""Tables of deployments and of their baselines."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from openlfr.adapters.sql.tables.base import UtcDateTime, metadata

deployments = Table(
    "deployments",
    metadata,
    Column("deployment_id", String, primary_key=True),  # a UUID, or what the configuration gives
    Column("name", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("place", String, nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("authorised_by", String, nullable=False),
    Column("starts", UtcDateTime, nullable=False),
    Column("ends", UtcDateTime, nullable=False),
    Column("cameras", JSON, nullable=False),
    Column("watchlists", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("drafted_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("version", BigInteger, nullable=False),  # of the same counter as the watchlist's
    Index(None, "version"),
)

# What did not change for a stretch of a deployment; hashes and counts, and nobody's name.
baselines = Table(
    "baselines",
    metadata,
    Column("deployment", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("baseline_id", String(64), nullable=False),  # of the content: one may come back
    Column("opened_at", UtcDateTime, nullable=False),
    Column("why", JSON, nullable=False),  # what had changed
    Column("content", JSON, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)
