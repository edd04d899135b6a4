"""Tables of deployments, of their baselines, and of calibrations."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, String, Table

from openlfr.adapters.sql.tables.base import UtcDateTime, metadata

deployments = Table(
    "deployments",
    metadata,
    Column("deployment_id", String, primary_key=True),  # a UUID, or the configured id
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
    Column("version", BigInteger, nullable=False),  # from the watchlist's counter
    Index(None, "version"),
)

# The settings that were constant for a part of a deployment: hashes and counts, no names.
baselines = Table(
    "baselines",
    metadata,
    Column("deployment", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("baseline_id", String(64), nullable=False),  # hash of the content, so that it may recur
    Column("opened_at", UtcDateTime, nullable=False),
    Column("why", JSON, nullable=False),  # the changed settings
    Column("content", JSON, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

# Thresholds for a target FPIR: hashes and counts, no names.
calibrations = Table(
    "calibrations",
    metadata,
    Column("calibration_id", String(64), primary_key=True),  # hash of the content
    Column("made_at", UtcDateTime, nullable=False),
    Column("target_fpir", Float(53), nullable=False),
    Column("content", JSON, nullable=False),
)
