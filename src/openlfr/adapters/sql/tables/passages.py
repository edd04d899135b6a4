"""Tables of planned passages of control subjects; rows are added, never changed."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table

from openlfr.adapters.sql.tables.base import UtcDateTime, metadata

passage_plans = Table(
    "passage_plans",
    metadata,
    Column("plan_id", String(36), primary_key=True),
    Column("deployment", String, nullable=False),
    Column("subject_id", String(36), nullable=False),  # an id of an entry; no name is stored here
    Column("cameras", JSON, nullable=False),
    Column("salt", String(64), nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("commitment", String(64), nullable=False),
    Index(None, "deployment"),
    Index(None, "subject_id"),
)

passage_logs = Table(
    "passage_logs",
    metadata,
    Column("plan_id", String(36), ForeignKey(passage_plans.c.plan_id), primary_key=True),
    Column("begins", UtcDateTime, nullable=False),
    Column("ends", UtcDateTime, nullable=False),
    Column("cameras", JSON, nullable=False),
    Column("logged_at", UtcDateTime, nullable=False),
)

# Written when the alert of a sighting, or the name of a subject, is erased.
passage_findings = Table(
    "passage_findings",
    metadata,
    Column("plan_id", String(36), ForeignKey(passage_plans.c.plan_id), primary_key=True),
    Column("camera", String, primary_key=True),
    Column("recorded_at", UtcDateTime, nullable=False),
)
