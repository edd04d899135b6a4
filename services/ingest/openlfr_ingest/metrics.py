"""Prometheus metrics of the ingest service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.in_force import NotInForce

if TYPE_CHECKING:
    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr_ingest.camera_share import CameraShare
    from openlfr_ingest.leases import LeaseKeeper

_FRAME_OUTCOMES = ("sent", "dropped", "overtaken", "sampled_away", "outside_hours", "unreadable",
          *sorted(set(NotInForce) - {NotInForce.OUTSIDE_HOURS}))  # fmt: skip
_EVENTS = ("connects", "reconnects", "failures", "frozen", "leases_lost", "waits_for_hours",
           "hours_over", "waits_while_paused", "waits_for_control", "not_of_deployment", "late",
           "crashes", "ends_dropped", "tallies_lost")  # fmt: skip


def register(metrics: Metrics, sharing: CameraShare, keeper: LeaseKeeper, *, room: int) -> None:
    """Register the metrics of this process's cameras and of the ingest fleet."""
    metrics.register_labelled_counter(
        "openlfr_camera_frames",
        "Frames of a camera, by outcome.",
        lambda: _counts_by_camera(sharing, _FRAME_OUTCOMES),
        labels=("camera", "fate"),
    )
    metrics.register_labelled_counter(
        "openlfr_camera_events",
        "Connections, lost leases and other events of a camera.",
        lambda: _counts_by_camera(sharing, _EVENTS),
        labels=("camera", "event"),
    )
    metrics.register_gauge(
        "openlfr_camera_last_frame_timestamp_seconds",
        "When a camera's frame last reached Kafka, or when its first frame became due.",
        lambda: {
            name: since
            for name, camera in sharing.reported.items()
            if (since := camera.silent_since)
        },
        label="camera",
    )
    metrics.register_gauge(
        "openlfr_camera_outside_hours",
        "1 for a camera that waits until its deployment is in force: its hours, start or state.",
        lambda: {name: float(camera.outside_hours) for name, camera in sharing.reported.items()},
        label="camera",
    )
    metrics.register_gauge(
        "openlfr_cameras",
        "Number of cameras: configured; held (filmed by this process); at_most (this process's "
        "limit); unheld (filmed by no process); beyond_room (no process has room for them).",
        lambda: {
            "configured": sharing.configured,
            "held": len(keeper.held),
            "at_most": room,
            "unheld": len(sharing.unfilmed),
            "beyond_room": len(sharing.beyond_room),
        },
        label="which",
    )
    metrics.register_gauge(
        "openlfr_ingest_members",
        "Number of live ingest processes in this process's view of the fleet.",
        lambda: float(len(keeper.view.members)),
    )
    metrics.register_gauge(
        "openlfr_leases_silent_seconds",
        "Seconds since Redis last answered; until it answers, no camera changes its process.",
        lambda: keeper.silent_s,
    )


def _counts_by_camera(sharing: CameraShare, names: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    counts = sharing.counts
    return {(camera, name): counts[camera][name] for camera in sharing.reported for name in names}
