"""Which of the alerting service's counts stand under which name for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr_alerting.leader_jobs import LeaderJobs
    from openlfr_alerting.relaying import Relay


def register(
    metrics: Metrics,
    folding: Counter[str],
    recording: Counter[str],
    relay: Relay,
    jobs: LeaderJobs,
) -> None:
    """Name what is counted: by folding, by recording and by the relay."""
    metrics.register_counter(
        "openlfr_alerts",
        "Sightings by what they made: opened, joined, or known already.",
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
        "openlfr_records", "What was written into the records.", lambda: recording, label="what"
    )
    metrics.register_counter(
        "openlfr_dead_letters",
        "Messages set aside.",
        lambda: {"": folding["set_aside"] + recording["set_aside"]},
    )
    metrics.register_counter(
        "openlfr_relay", "What the relay wrote on control.v1.", lambda: relay.counts, label="what"
    )
    metrics.register_gauge(
        "openlfr_relay_at_work", "1 where this process relays.", lambda: float(relay.at_work)
    )
    metrics.register_gauge(
        "openlfr_entries_altered",
        "Listed entries that are not searched, since they are not as they were enrolled.",
        lambda: float(relay.altered),
    )
    metrics.register_counter(
        "openlfr_erased",
        "What was erased since it was due: alerts, mistaken, orphans, entries; failures.",
        lambda: jobs.erased,
        label="what",
    )
    metrics.register_gauge(
        "openlfr_settling_failed_seconds",
        "For how long the vector store has not been brought to what the records say; 0 if it is.",
        lambda: jobs.failing_s,
    )


def register_verdicts(metrics: Metrics, published: Counter[str]) -> None:
    """Name what the publisher of verdicts counts."""
    metrics.register_counter(
        "openlfr_verdicts",
        "Verdicts, undos and outcomes: published on verdicts.v1, or erased before they could be.",
        lambda: published,
        label="what",
    )
