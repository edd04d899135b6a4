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
        "Sightings by result: opened an alert, joined one, or known already.",
        lambda: {name: folding[name] for name in ("opened", "joined", "known")},
        label="event",
    )
    metrics.register_counter(
        "openlfr_alerts_without_evidence",
        "Sightings whose picture could not be opened: damaged, or sealed under another key.",
        lambda: {"": folding["without_evidence"]},
    )
    metrics.register_counter(
        "openlfr_alerts_without_records",
        "Sightings published without asking the records, which did not answer; merged later.",
        lambda: {"": folding["records_not_asked"]},
    )
    metrics.register_counter(
        "openlfr_impossible_matches",
        "Sightings flagged: their subject twice in one frame, or too far apart in the time.",
        lambda: {"": folding["impossible"]},
    )
    metrics.register_counter(
        "openlfr_records",
        "Messages written into the records, by result.",
        lambda: recording,
        label="what",
    )
    metrics.register_counter(
        "openlfr_dead_letters",
        "Messages set aside.",
        lambda: {"": folding["set_aside"] + recording["set_aside"]},
    )
    metrics.register_counter(
        "openlfr_relay",
        "Messages that the relay wrote on control.v1.",
        lambda: relay.counts,
        label="what",
    )
    metrics.register_gauge(
        "openlfr_relay_at_work", "1 where this process relays.", lambda: float(relay.is_leader)
    )
    metrics.register_gauge(
        "openlfr_entries_altered",
        "Listed entries that are not searched, since they were altered after enrolment.",
        lambda: float(relay.altered),
    )
    metrics.register_counter(
        "openlfr_erased",
        "Erasures that were due: alerts, mistaken, orphans, entries; and failures.",
        lambda: jobs.erased,
        label="what",
    )
    metrics.register_gauge(
        "openlfr_settling_failed_seconds",
        "For how long the vector store could not be synchronised with the records; 0 if it is.",
        lambda: jobs.failing_s,
    )


def register_verdicts(metrics: Metrics, published: Counter[str]) -> None:
    """Register the metric of published verdicts."""
    metrics.register_counter(
        "openlfr_verdicts",
        "Verdicts, undos and outcomes: published on verdicts.v1, or erased before they could be.",
        lambda: published,
        label="what",
    )
