"""Which of the analysis service's counts stand under which name for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from openlfr.adapters.faust.progress import Progress
    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr_analysis.index_in_use import IndexInUse
    from openlfr_analysis.watchlist_index import LocalWatchlistIndex, MilvusWatchlistIndex

_LET_GO = {
    "dropped_late": "stale",
    "outside_hours": "outside_hours",
    "paused": "paused",
    "unknown": "unknown",
    "other_camera": "other_camera",
    "repeated": "repeated",
    "discarded": "discarded",
    "unreadable": "unreadable",
}


def register(
    metrics: Metrics,
    progress: Progress,
    counts: Counter[str],
    listed: LocalWatchlistIndex | MilvusWatchlistIndex,
) -> None:
    """Name what is counted.

    Args:
        metrics: Where to.
        progress: Of the worker.
        counts: The processor's.
        listed: Who is searched, and who is not though listed.
    """
    metrics.count(
        "openlfr_frames_received",
        "Frames that analysis took from Kafka.",
        lambda: {"": progress.counts["received"]},
    )
    metrics.count(
        "openlfr_frames_dropped",
        "Frames let go, by reason; stale is too old.",
        lambda: {reason: counts[name] for name, reason in _LET_GO.items()},
        label="reason",
    )
    metrics.count(
        "openlfr_analysis",
        "What became of frames, tracks and sightings.",
        lambda: counts,
        label="what",
    )
    metrics.count("openlfr_dead_letters", "Messages set aside.", lambda: {"": counts["set_aside"]})
    metrics.gauge(
        "openlfr_watchlist_references",
        "References that are searched.",
        lambda: listed.references,
    )
    metrics.gauge(
        "openlfr_watchlist_missing",
        "Listed references that Milvus lacks, or that are on their way: nobody finds them.",
        lambda: listed.missing,
    )
    metrics.gauge(
        "openlfr_watchlist_refused",
        "Listed references whose template in Milvus was altered: nobody finds them.",
        lambda: listed.refused,
    )
    metrics.count(
        "openlfr_watchlist_asked",
        "What became of asking Milvus.",
        lambda: listed.counts,
        label="what",
    )


def register_threshold(metrics: Metrics, index_in_use: IndexInUse) -> None:
    """Name the threshold, and whether it still is for such a list."""
    metrics.gauge(
        "openlfr_threshold",
        "From which score a track is a sighting; chosen at the start.",
        lambda: index_in_use.threshold,
    )
    metrics.gauge(
        "openlfr_threshold_outgrown",
        "1 where more people are listed than the default threshold was measured for, or others"
        " than a calibrated one was calibrated against.",
        lambda: float(bool(index_in_use.doubt)),
    )


def register_provider(metrics: Metrics, provider: str) -> None:
    """Name what runs the models, such as cuda."""
    metrics.gauge(
        "openlfr_provider",
        "1 for the execution provider that runs the models; what it cannot run, the CPU does.",
        lambda: {provider: 1.0},
        label="provider",
    )
