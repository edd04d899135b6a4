"""Which of the ingest service's counts stand under which name for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.in_force import NotInForce

if TYPE_CHECKING:
    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr_ingest.leases import LeaseKeeper
    from openlfr_ingest.sharing import CameraShare

_FATES = ("sent", "dropped", "overtaken", "sampled_away", "outside_hours", "unreadable",
          *sorted(set(NotInForce) - {NotInForce.OUTSIDE_HOURS}))  # fmt: skip
_EVENTS = ("connects", "reconnects", "failures", "frozen", "leases_lost", "waits_for_hours",
           "hours_over", "waits_while_paused", "waits_for_control", "not_of_deployment", "late",
           "crashes", "ends_dropped", "tallies_lost")  # fmt: skip


def register(metrics: Metrics, sharing: CameraShare, keeper: LeaseKeeper, *, room: int) -> None:
    """Name what is counted: of each camera that this process holds, and of their sharing."""
    metrics.register_labelled_counter(
        "openlfr_camera_frames",
        "Frames of a camera, by what became of them.",
        lambda: _each(sharing, _FATES),
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
        "When a camera's frame last reached Kafka, or should have begun to.",
        lambda: {
            name: since for name, camera in sharing.shown.items() if (since := camera.silent_since)
        },
        label="camera",
    )
    metrics.register_gauge(
        "openlfr_camera_outside_hours",
        "1 for a camera that waits for the deployment: its hours, or that it is started.",
        lambda: {name: float(camera.outside_hours) for name, camera in sharing.shown.items()},
        label="camera",
    )
    metrics.register_gauge(
        "openlfr_cameras",
        "Cameras: of the configuration, held by this process, that it films at most, that no "
        "process holds, that no process has room for.",
        lambda: {
            "configured": sharing.configured,
            "held": len(keeper.held),
            "at_most": room,
            "unheld": len(sharing.unfilmed),
            "beyond_room": len(sharing.beyond),
        },
        label="which",
    )
    metrics.register_gauge(
        "openlfr_ingest_members",
        "Live processes of ingest, as this one sees them.",
        lambda: float(len(keeper.view.members)),
    )
    metrics.register_gauge(
        "openlfr_leases_silent_seconds",
        "For how long Redis has not answered: nothing is taken over meanwhile.",
        lambda: keeper.silent_s,
    )


def _each(sharing: CameraShare, names: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    counts = sharing.counts
    return {(camera, name): counts[camera][name] for camera in sharing.shown for name in names}
