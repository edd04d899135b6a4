"""Which of the ingest service's counts stand under which name for Prometheus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.adapters.metrics import Metrics
    from openlfr_ingest.supervision import Supervision

_FATES = ("sent", "dropped", "overtaken", "sampled_away", "outside_hours", "unreadable")
_EVENTS = ("connects", "reconnects", "failures", "frozen", "leases_lost", "waits_for_hours",
           "hours_over", "late", "crashes", "ends_dropped", "tallies_lost")  # fmt: skip


def tell(metrics: Metrics, cameras: Mapping[str, Supervision]) -> None:
    """Name what is counted of each camera."""
    for name, camera in cameras.items():
        metrics.count(
            "openlfr_camera_frames",
            "Frames of a camera, by what became of them.",
            partial(_some, camera, _FATES),
            label="fate",
            where={"camera": name},
        )
        metrics.count(
            "openlfr_camera_events",
            "Connections, lost leases and other events of a camera.",
            partial(_some, camera, _EVENTS),
            label="event",
            where={"camera": name},
        )
    metrics.gauge(
        "openlfr_camera_last_frame_timestamp_seconds",
        "When a camera's frame last reached Kafka, or should have begun to.",
        lambda: {name: since for name, camera in cameras.items() if (since := camera.silent_since)},
        label="camera",
    )
    metrics.gauge(
        "openlfr_camera_outside_hours",
        "1 for a camera that waits for the deployment's hours, or is past them.",
        lambda: {name: float(camera.outside_hours) for name, camera in cameras.items()},
        label="camera",
    )


def _some(camera: Supervision, names: tuple[str, ...]) -> dict[str, int]:
    counts = camera.counts
    return {name: counts[name] for name in names}
