"""Prometheus metrics of the analysis service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from openlfr.adapters.faust.progress import Progress
    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr_analysis.index_in_use import IndexInUse
    from openlfr_analysis.watchlist_index import LocalWatchlistIndex, MilvusWatchlistIndex

_DROP_REASONS = {  # count -> the metric's reason
    "dropped_late": "stale",  # older than max_age, or overtaken by a newer frame
    "outside_hours": "outside_hours",
    "paused": "paused",  # the deployment is paused, or not started
    "unknown": "unknown",  # the state of the deployment is unknown or too old
    "other_camera": "other_camera",  # the camera is not part of the deployment
    "repeated": "repeated",  # delivered again, and analysed before
    "discarded": "discarded",  # the epoch had ended when the frame arrived
    "unreadable": "unreadable",  # the picture cannot be decoded
}


def register(
    metrics: Metrics,
    progress: Progress,
    counts: Counter[str],
    watchlist: LocalWatchlistIndex | MilvusWatchlistIndex,
) -> None:
    """Register the metrics of frames, tracks and the watchlist.

    Args:
        metrics: The registry.
        progress: The worker's progress, with the number of received messages.
        counts: Event counts of the worker's `FrameBatchProcessor`, by name of the event.
        watchlist: The index of the watchlist.
    """
    metrics.register_counter(
        "openlfr_frames_received",
        "Frames that analysis read from Kafka.",
        lambda: {"": progress.counts["received"]},
    )
    metrics.register_counter(
        "openlfr_frames_dropped",
        "Dropped frames by reason. stale: older than max_age, or overtaken by a newer frame; "
        "unknown: the deployment's state is unknown; other_camera: the camera is not part of the "
        "deployment; discarded: the camera's epoch had ended when the frame arrived.",
        lambda: {reason: counts[name] for name, reason in _DROP_REASONS.items()},
        label="reason",
    )
    metrics.register_counter(
        "openlfr_analysis",
        "Events of the analysis worker by type: frames, tracks, searches and sightings.",
        lambda: counts,
        label="what",
    )
    metrics.register_counter(
        "openlfr_dead_letters",
        "Unusable messages that were sent to dead-letters.v1.",
        lambda: {"": counts["set_aside"]},
    )
    metrics.register_gauge(
        "openlfr_watchlist_references",
        "References in the search index.",
        lambda: watchlist.references,
    )
    metrics.register_gauge(
        "openlfr_watchlist_missing",
        "Listed references that are not in the search index: their template is missing in Milvus "
        "or was not fetched yet.",
        lambda: watchlist.missing,
    )
    metrics.register_gauge(
        "openlfr_watchlist_refused",
        "Listed references that are not searched, since their template in Milvus was altered.",
        lambda: watchlist.refused,
    )
    metrics.register_counter(
        "openlfr_watchlist_asked",
        "Requests to Milvus, by outcome.",
        lambda: watchlist.counts,
        label="what",
    )


def register_threshold(metrics: Metrics, index_in_use: IndexInUse) -> None:
    """Register the threshold, and whether it suits the present list."""
    metrics.register_gauge(
        "openlfr_threshold",
        "Lowest score of a sighting, chosen when the worker starts.",
        lambda: index_in_use.threshold,
    )
    metrics.register_gauge(
        "openlfr_threshold_outgrown",
        "1 if the threshold does not suit the list: a default was measured for fewer people, or a "
        "calibration for other people.",
        lambda: float(bool(index_in_use.threshold_warning)),
    )


def register_provider(metrics: Metrics, provider: str) -> None:
    """Register the execution provider of the models, such as cuda."""
    metrics.register_gauge(
        "openlfr_provider",
        "1 for the execution provider of the models; the CPU runs unsupported operations.",
        lambda: {provider: 1.0},
        label="provider",
    )
