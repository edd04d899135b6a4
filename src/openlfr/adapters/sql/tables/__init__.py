"""Declarations of every table of the records; migrations create these tables."""

from openlfr.adapters.sql.tables.alerts import (
    alert_events,
    alerts,
    holds,
    merged_alerts,
    outcomes,
    verdict_outbox,
    verdicts,
    withdrawals,
)
from openlfr.adapters.sql.tables.audit import act_words, audit_events
from openlfr.adapters.sql.tables.base import UtcDateTime, metadata
from openlfr.adapters.sql.tables.deployments import baselines, calibrations, deployments
from openlfr.adapters.sql.tables.passages import passage_findings, passage_logs, passage_plans
from openlfr.adapters.sql.tables.runs import checkpoints, runs, tallies
from openlfr.adapters.sql.tables.watchlist import AUTHORITY, counters, gallery_facts, references

__all__ = [
    "AUTHORITY",
    "UtcDateTime",
    "act_words",
    "alert_events",
    "alerts",
    "audit_events",
    "baselines",
    "calibrations",
    "checkpoints",
    "counters",
    "deployments",
    "gallery_facts",
    "holds",
    "merged_alerts",
    "metadata",
    "outcomes",
    "passage_findings",
    "passage_logs",
    "passage_plans",
    "references",
    "runs",
    "tallies",
    "verdict_outbox",
    "verdicts",
    "withdrawals",
]
