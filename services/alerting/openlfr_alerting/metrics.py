"""Prometheus metrics of the alerting service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr_alerting.leader_jobs import LeaderJobs
    from openlfr_alerting.relaying import ControlRelay


def register(
    metrics: Metrics,
    folding: Counter[str],
    recording: Counter[str],
    relay: ControlRelay,
    jobs: LeaderJobs,
) -> None:
    """Register the metrics of sightings, records, the relay and the leader's jobs."""
    metrics.register_counter(
        "openlfr_alerts",
        "Sightings by result: opened an alert, joined an alert, or known already.",
        lambda: {name: folding[name] for name in ("opened", "joined", "known")},
        label="event",
    )
    metrics.register_counter(
        "openlfr_alerts_without_evidence",
        "Sightings whose picture could not be decrypted: damaged, or sealed with another key.",
        lambda: {"": folding["without_evidence"]},
    )
    metrics.register_counter(
        "openlfr_alerts_without_records",
        "Alert events published while the records did not answer; their alerts are merged later.",
        lambda: {"": folding["records_not_asked"]},
    )
    metrics.register_counter(
        "openlfr_impossible_matches",
        "Flagged sightings: their subject was matched twice in one frame, or at two cameras too "
        "far apart for the time between.",
        lambda: {"": folding["impossible"]},
    )
    metrics.register_counter(
        "openlfr_records",
        "Alerts and tallies read from Kafka, by result.",
        lambda: recording,
        label="what",
    )
    metrics.register_counter(
        "openlfr_dead_letters",
        "Unusable messages that were sent to dead-letters.v1.",
        lambda: {"": folding["set_aside"] + recording["set_aside"]},
    )
    metrics.register_counter(
        "openlfr_relay",
        "Messages that the relay wrote on control.v1.",
        lambda: relay.counts,
        label="what",
    )
    metrics.register_gauge(
        "openlfr_relay_at_work",
        "1 in the leader, which publishes the watchlist on control.v1.",
        lambda: float(relay.is_leader),
    )
    metrics.register_gauge(
        "openlfr_entries_altered",
        "Listed entries that are not searched, since they were altered after enrolment.",
        lambda: float(relay.altered),
    )
    metrics.register_counter(
        "openlfr_erased",
        "Erasures of data that was due, by kind, and failed attempts.",
        lambda: jobs.erased,
        label="what",
    )
    metrics.register_gauge(
        "openlfr_settling_failed_seconds",
        "Seconds since the synchronisation of the vector store began to fail; 0 if it succeeds.",
        lambda: jobs.failing_s,
    )


def register_verdicts(metrics: Metrics, published: Counter[str]) -> None:
    """Register the metric of published verdicts."""
    metrics.register_counter(
        "openlfr_verdicts",
        "Verdicts, undos and outcomes: published on verdicts.v1, or erased before publication.",
        lambda: published,
        label="what",
    )
