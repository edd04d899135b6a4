"""Analysis is scaled by what waits and by how busy it is, up and down, and loses nothing by it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import lossless
import monitoring

if TYPE_CHECKING:
    from release import Release
    from table import Table

CAMERAS = ("lane-0", "lane-1", "lane-2", "lane-3", "lane-4", "lane-5")
MOST = 3


def run(table: Table, release: Release, asked: Any) -> None:
    """Six cameras' frames at once; then calm."""
    table.row("an autoscaler without KEDA is taken by the API server", lambda: plain(release))
    if asked.no_keda:
        return
    table.row("no live camera films", release.cameras_off)
    if asked.prometheus_image:
        table.row("a Prometheus", lambda: monitoring.start(release, asked.prometheus_image))
    table.row("KEDA's ScaledObject by the chart", lambda: switch_on(release))
    table.row("analysis goes 1 -> 3 -> 1 by itself", lambda: cycle(release))
    table.row("of the frames that scaled it", lambda: lossless.compare(release, CAMERAS))


def plain(release: Release) -> str:
    """Rendered by the chart for Kubernetes itself, and tried without being made."""
    rendered = release.render(
        "templates/autoscalers.yaml", "services.analysis.autoscaling.enabled=true",
        "services.analysis.autoscaling.by=hpa",
    )  # fmt: skip
    said = release.cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=rendered.encode())
    return said.strip()


def switch_on(release: Release) -> str:
    """Let KEDA scale; what of, and whether it says who it is."""
    scaling: dict[str, Any] = {
        "enabled": True, "minReplicas": 1, "maxReplicas": MOST, "lag": 60, "pollingSeconds": 5,
        "calmSeconds": 30, "stepDownSeconds": 15, "dropRatio": 0,
        "busy": 0.7 if "metrics" in release.sets else 0,
    }  # fmt: skip
    services = release.sets["services"]
    services["analysis"] = services.get("analysis", {}) | {"autoscaling": scaling}
    release.install(verb="upgrade")
    release.cluster.kubectl("wait", "--for=condition=Ready", "scaledobject/openlfr-analysis",
                            "--timeout=120s")  # fmt: skip
    triggers = release.cluster.get("scaledobject", "openlfr-analysis")["spec"]["triggers"]
    return ", ".join(
        f"{each['name']}{' with authentication' if 'authenticationRef' in each else ''}"
        for each in triggers
    )


def cycle(release: Release) -> str:
    """What was seen, with the seconds since the frames came."""
    release.cluster.await_that("one replica", lambda: replicas(release) == (1, 1), limit=300)
    lossless.film(release, CAMERAS)
    begun = time.monotonic()
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
        if most >= MOST and drained is not None and (wanted, ready) == (1, 1):
            break
        if now > 900:
            raise lossless.Failed("; ".join(story))
        time.sleep(3)
    return f"{'; '.join(story)}; no lag after {drained:.0f} s"


def replicas(release: Release) -> tuple[int, int]:
    """Of analysis: wanted and ready."""
    found = release.cluster.get("statefulset", "openlfr-analysis")
    return found["spec"]["replicas"], found["status"].get("readyReplicas", 0)


def waiting(release: Release) -> int | None:
    """Frames that no worker has done; None where one cannot be asked just now."""
    try:
        return int(sum(
            release.metric(pod["metadata"]["name"], "openlfr_lag")
            for pod in release.cluster.pods("analysis")
        ))  # fmt: skip
    except lossless.Failed:
        return None
