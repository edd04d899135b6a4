"""Prometheus metrics of the ingest service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.in_force import NotInForce

if TYPE_CHECKING:
    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr_ingest.leases import LeaseKeeper
    from openlfr_ingest.sharing import CameraShare

_FRAME_OUTCOMES = ("sent", "dropped", "overtaken", "sampled_away", "outside_hours", "unreadable",
          *sorted(set(NotInForce) - {NotInForce.OUTSIDE_HOURS}))  # fmt: skip
_EVENTS = ("connects", "reconnects", "failures", "frozen", "leases_lost", "waits_for_hours",
           "hours_over", "waits_while_paused", "waits_for_control", "not_of_deployment", "late",
           "crashes", "ends_dropped", "tallies_lost")  # fmt: skip


def register(metrics: Metrics, sharing: CameraShare, keeper: LeaseKeeper, *, room: int) -> None:
    """Register the metrics of the cameras that this process holds, and of the ingest fleet."""
    metrics.register_labelled_counter(
        "openlfr_camera_frames",
        "Frames of a camera, by what became of them.",
        lambda: _each(sharing, _FRAME_OUTCOMES),
        labels=("camera", "fate"),
    )
    metrics.register_labelled_counter(
        "openlfr_camera_events",
        "Connections, lost leases and other events of a camera.",
        lambda: _each(sharing, _EVENTS),
        labels=("camera", "event"),
    )
    metrics.register_gauge(
        "openlfr_camera_last_frame_timestamp_seconds",
        "When a camera's frame last reached Kafka, or the first one became due.",
        lambda: {
            name: since
            for name, camera in sharing.reported.items()
            if (since := camera.silent_since)
        },
        label="camera",
    )
    metrics.register_gauge(
        "openlfr_camera_outside_hours",
        "1 for a camera that waits for the deployment: its hours, or its start.",
        lambda: {name: float(camera.outside_hours) for name, camera in sharing.reported.items()},
        label="camera",
    )
    metrics.register_gauge(
        "openlfr_cameras",
        "Numbers of cameras: configured, held by this process, its limit, held by no process, "
        "beyond the room of all processes.",
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
        "Live processes of ingest in this process's view.",
        lambda: float(len(keeper.view.members)),
    )
    metrics.register_gauge(
        "openlfr_leases_silent_seconds",
        "Seconds since Redis last answered: no camera is taken over meanwhile.",
        lambda: keeper.silent_s,
    )


def _each(sharing: CameraShare, names: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    counts = sharing.counts
    return {(camera, name): counts[camera][name] for camera in sharing.reported for name in names}
