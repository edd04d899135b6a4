"""Metrics of a process that follows control.v1."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openlfr.domain.deployment import DeploymentStatus
from openlfr.in_force import NotInForce

if TYPE_CHECKING:
    from openlfr.adapters.kafka.control_reader import ControlReader
    from openlfr.adapters.telemetry.metrics import Metrics
    from openlfr.in_force import DeploymentInForce

STATUSES = (*map(str, DeploymentStatus), str(NotInForce.UNKNOWN))


def register(metrics: Metrics, control: ControlReader, deployment: DeploymentInForce) -> None:
    """Register the metrics of control.v1 and of the deployment's status."""
    metrics.register_counter(
        "openlfr_control", "Records of control.v1, by kind.", lambda: control.counts, label="what"
    )
    metrics.register_gauge(
        "openlfr_control_last_read_timestamp_seconds",
        "Time at which the process last received a heartbeat on control.v1.",
        lambda: time.time() - control.silent_s,
    )
    metrics.register_gauge(
        "openlfr_deployment",
        "1 for the current status of the process's deployment.",
        lambda: {each: float(each == deployment.status) for each in STATUSES},
        label="status",
    )
    metrics.register_gauge(
        "openlfr_deployment_revision",
        "Current revision of the process's deployment.",
        lambda: state.revision if (state := deployment.state) else None,
    )
