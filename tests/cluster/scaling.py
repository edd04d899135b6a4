"""Analysis is scaled by lag and by load, up and down, without losses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import lossless
import monitoring
from kube import Failed, NotSeen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release import Release
    from table import Table

CAMERAS = tuple(f"lane-{number}" for number in range(6))
BY_PROCESSOR = tuple(f"walk-{number}" for number in range(12))
BY_BUSY_TIME = tuple(f"lift-{number}" for number in range(12))
MOST = 3
BASE: dict[str, Any] = {
    "enabled": True, "minReplicas": 1, "maxReplicas": MOST, "calmSeconds": 30,
    "stepDownSeconds": 15, "dropRatio": 0,
}  # fmt: skip


def run(table: Table, release: Release, asked: Any) -> None:
    """Scale by Kubernetes alone, by all of KEDA's triggers, and by one trigger."""
    table.row("no live camera films", release.cameras_off)
    if table.row("an autoscaler without KEDA, by the processor", lambda: by_processor(release)):
        scaled(table, release, BY_PROCESSOR, least=2)
    if asked.no_keda:
        return
    if asked.prometheus_image:
        table.row("a Prometheus", lambda: monitoring.start(release, asked.prometheus_image))
    busy = 0.7 if asked.prometheus_image else 0
    table.row("KEDA's ScaledObject by the chart", lambda: by_keda(release, lag=15, busy=busy))
    scaled(table, release, CAMERAS, least=MOST)
    table.row("KEDA by busy time alone: lag counts from a million on",
              lambda: by_busy_time(release, asked.prometheus_image))  # fmt: skip
    if asked.prometheus_image:
        scaled(table, release, BY_BUSY_TIME, least=2)


def scaled(table: Table, release: Release, cameras: Sequence[str], least: int) -> None:
    """Film cameras; return the scaling and check the events."""
    table.row(f"analysis goes 1 -> {least} or more -> 1 by itself",
              lambda: cycle(release, cameras, least))  # fmt: skip
    table.row("of the frames that scaled it", lambda: lossless.compare(release, cameras))


def by_processor(release: Release) -> str:
    """Use Kubernetes's own autoscaler, if the cluster measures the pods' usage."""
    try:
        release.cluster.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")
    except Failed:
        raise NotSeen("no metrics-server (metrics.k8s.io) is here") from None
    switch(release, {"by": "hpa", "cpuPercent": 70})
    hpa = "hpa/openlfr-analysis"
    release.cluster.kubectl("wait", "--for=condition=ScalingActive", hpa, "--timeout=180s")
    (metric,) = release.cluster.get(hpa)["spec"]["metrics"]
    return f"{metric['resource']['name']}, {metric['resource']['target']['averageUtilization']}%"


def by_keda(release: Release, *, lag: int, busy: float) -> str:
    """Let KEDA scale by these triggers, with or without authentication."""
    switch(release, {"by": "keda", "lag": lag, "pollingSeconds": 5, "busy": busy})
    release.cluster.kubectl("wait", "--for=condition=Ready", "scaledobject/openlfr-analysis",
                            "--timeout=120s")  # fmt: skip
    triggers = release.cluster.get("scaledobject", "openlfr-analysis")["spec"]["triggers"]
    return ", ".join(
        f"{each['name']}{' with authentication' if 'authenticationRef' in each else ''}"
        for each in triggers
    )


def by_busy_time(release: Release, prometheus: str | None) -> str:
    """Scale by busy time alone, so that the lag has no effect."""
    if not prometheus:
        raise NotSeen("no --prometheus-image was given")
    return by_keda(release, lag=1_000_000, busy=0.15)


def switch(release: Release, scaling: dict[str, Any]) -> None:
    """Upgrade to another autoscaler."""
    services = release.sets["services"]
    services["analysis"] = services.get("analysis", {}) | {"autoscaling": BASE | scaling}
    release.install(verb="upgrade")


def cycle(release: Release, cameras: Sequence[str], least: int) -> str:
    """Film, and return the replicas over time, in seconds since the first frames."""
    release.cluster.await_that("one replica", lambda: replicas(release) == (1, 1), limit=300)
    begun = time.monotonic()
    lossless.film(release, cameras)
    story: list[str] = []
    before: Any = None
    most = 0
    drained = None
    while True:
        wanted, ready = replicas(release)
        lag = waiting(release)
        now = time.monotonic() - begun
        if (wanted, ready) != before:
            story.append(f"{now:.0f} s: {wanted} wanted, {ready} ready, lag {lag}")
            print(f"        {story[-1]}", flush=True)
        before = wanted, ready
        most = max(most, ready)
        if drained is None and lag is not None and lag == 0 and now > 10:
            drained = now
        if most >= least and drained is not None and (wanted, ready) == (1, 1):
            break
        if now > 600:
            raise Failed("; ".join(story))
        time.sleep(3)
    return f"{'; '.join(story)}; no lag after {drained:.0f} s"


def replicas(release: Release) -> tuple[int, int]:
    """Return the desired and ready replicas of analysis."""
    found = release.cluster.get("statefulset", "openlfr-analysis")
    return found["spec"]["replicas"], found["status"].get("readyReplicas", 0)


def waiting(release: Release) -> int | None:
    """Return the number of unprocessed frames; None if a worker does not answer."""
    try:
        return int(sum(
            release.metric(pod["metadata"]["name"], "openlfr_lag")
            for pod in release.cluster.pods("analysis")
        ))  # fmt: skip
    except Failed:
        return None
