"""Tables of alerts: events, verdicts, outcomes, holds, and the outbox of verdicts."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    false,
)

from openlfr.adapters.sql.tables.base import UtcDateTime, metadata

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", String(36), primary_key=True),
    Column("deployment", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("watchlist", String, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("best_score", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("events", Integer, nullable=False),
    # Whether the alert is about a recording. Nobody can decide such an alert in time, so that it
    # does not lapse.
    Column("recording", Boolean, nullable=False, server_default=false()),
    Column("lapse_at", UtcDateTime, nullable=True),  # NULL: recorded by an earlier version
    Column("lapsed_at", UtcDateTime, nullable=True),  # from then on the alert accepts no sightings
    Column("reopened_at", UtcDateTime, nullable=True),
    # Derived from verdicts and outcomes (`domain.adjudication.Case`), for queries.
    Column("version", Integer, nullable=False, server_default="1"),
    Column("state", String(16), nullable=False, server_default="open"),
    Column("adjudication", String(16), nullable=True),
    Column("outcome", String(16), nullable=True),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("settle_at", UtcDateTime, nullable=True),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("erase_at", UtcDateTime, nullable=True),
    Column("erased_at", UtcDateTime, nullable=True),
    Index(None, "deployment", "opened_at"),
    Index(None, "deployment", "subject"),
    Index(None, "last_at", "alert_id"),
    Index(None, "settle_at"),
    Index(None, "erase_at"),
    Index(None, "lapse_at"),
)
_ACCEPTS_SIGHTINGS = alerts.c.lapsed_at.is_(None) & alerts.c.closed_at.is_(None)
# At most one alert of a subject accepts sightings.
Index(
    "uq_alerts_taking_in",
    alerts.c.deployment,
    alerts.c.subject,
    unique=True,
    sqlite_where=_ACCEPTS_SIGHTINGS,
    postgresql_where=_ACCEPTS_SIGHTINGS,
)

# Verdicts on alerts. Append-only, as `audit_events`. The author and the author's words are in the
# audit event of the verdict.
verdicts = Table(
    "verdicts",
    metadata,
    Column("verdict_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("adjudication", String(16), nullable=False),
    Column("reason", String(32), nullable=True),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("final_at", UtcDateTime, nullable=False),
    Column("settle_at", UtcDateTime, nullable=False),
    Column("event_id", String(36), nullable=False),
    Index(None, "alert_id"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("verdict_id", String(36), ForeignKey(verdicts.c.verdict_id), primary_key=True),
    Column("withdrawn_at", UtcDateTime, nullable=False),
    Column("event_id", String(36), nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("outcome_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("minutes_stopped", Integer, nullable=True),
    Column("sealed_until", UtcDateTime, nullable=True),
    Column("known_at", UtcDateTime, nullable=False),
    Column("event_id", String(36), nullable=False),
    Index(None, "alert_id"),
)

# A hold prevents the erasure of an alert, for a complaint or a disclosure. The audit event contains
# the reason.
holds = Table(
    "holds",
    metadata,
    Column("hold_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime, nullable=True),
    Index(None, "alert_id"),
)

# Rows to publish to verdicts.v1. The counter "verdicts" numbers them in the order of commits. The
# counter "verdicts_published" is the number of the last published row.
verdict_outbox = Table(
    "verdict_outbox",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),  # verdict, withdrawal, outcome
    Column("row_id", String(36), nullable=False),
)

# Published ids of alerts that were merged, since the alert book had lost the alert to join.
merged_alerts = Table(
    "merged_alerts",
    metadata,
    Column("alert_id", String(36), primary_key=True),
    Column("into", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("merged_at", UtcDateTime, nullable=False),
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("alert_id", String(36), ForeignKey(alerts.c.alert_id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("sighting_id", String(36), nullable=False),
    Column("camera", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("emitted_at", UtcDateTime, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("w", Float, nullable=False),
    Column("h", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("quality", Float, nullable=False),
    Column("reference_id", String(36), nullable=False),
    Column("evidence", String, nullable=True),  # name in the vault; NULL: none, or erased
    Column("impossible", JSON(none_as_null=True), nullable=True),  # NULL: not flagged
    Column("time_assumed", Boolean, nullable=True),  # NULL: no
    Column("rejected_at", UtcDateTime, nullable=True),  # the sighting shows another person
    Index(None, "alert_id"),
)
