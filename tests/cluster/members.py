"""Static members: a restarting pod keeps its partitions, and a removed pod leaves at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import lossless
from kube import Failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from release import Release
    from table import Table

CAMERAS = ("mall-0", "mall-1")
LAST = "openlfr-analysis-1"


def run(table: Table, release: Release, asked: Any) -> None:
    """Run two pods of each worker, then one again."""
    table.row("two pods of analysis and two of alerting", lambda: scale_by_values(release, 2))
    for what, replace in (
        ("a rolling update moves nobody's partitions", update),
        ("a drain moves nobody's partitions", drain),
    ):
        table.row(what, lambda r=replace: keeps(release, r))
    table.row("who is scaled down leaves at once", lambda: leaves(release))
    table.row("two pods of alerting, one killed (SIGKILL) at work",
              lambda: lossless.disturbed(release, kill_alerting, CAMERAS))  # fmt: skip
    table.row("one pod of each again", lambda: scale_by_values(release, 1))


def scale_by_values(release: Release, number: int) -> str:
    """Set the replicas in the values, and upgrade."""
    services = release.sets["services"]
    for name in ("analysis", "alerting"):
        services[name] = services.get(name, {}) | {"replicas": number}
    release.install(verb="upgrade")
    release.rolled_out()
    return settled(release, number)


def settled(release: Release, number: int) -> str:
    """Wait until this many analysis pods share the frames' partitions; return the counts by pod."""
    wanted = total(release)

    def shared() -> bool:
        found = partitions(release)
        return len(found) == number and sum(found.values()) == wanted and min(found.values()) > 0

    release.cluster.await_that("share for each pod", shared, limit=120)
    held = ", ".join(f"{pod} {count}" for pod, count in sorted(partitions(release).items()))
    return f"{held} partitions, generation {release.generation('analysis')}"


def total(release: Release) -> int:
    """Return the number of the frames' partitions by the release's values."""
    import json

    spec = release.cluster.get("statefulset", "openlfr-analysis")["spec"]["template"]["spec"]
    given = {each["name"]: each.get("value", "") for each in spec["containers"][0]["env"]}
    return int(json.loads(given["OPENLFR_TOPICS"])["partitions"]["frames.v1"])


def partitions(release: Release) -> dict[str, int]:
    """Return the partition count of each analysis pod that answers."""
    found = {}
    for pod in release.cluster.pods("analysis"):
        name = pod["metadata"]["name"]
        try:
            found[name] = int(release.metric(name, "openlfr_partitions"))
        except Failed:
            found[name] = 0
    return found


def keeps(release: Release, replace: Callable[[Release], str]) -> str:
    """Check that no member's partitions moved while pods were replaced."""
    groups = ("analysis", "alerting")
    before = {each: release.generation(each) for each in groups}
    held = partitions(release)
    uids = {each["metadata"]["uid"] for each in release.cluster.pods("analysis")}
    how = replace(release)
    release.cluster.await_that(
        "same share for each pod", lambda: partitions(release) == held, limit=120
    )
    after = {each: release.generation(each) for each in groups}
    same = uids & {each["metadata"]["uid"] for each in release.cluster.pods("analysis")}
    if after != before:
        raise Failed(f"{how}; generations {before} -> {after}")
    return f"{how}; {len(uids - same)} replaced, generations {before} as before"


def update(release: Release) -> str:
    """Restart every pod of both services, one after the other."""
    begun = time.monotonic()
    for name in ("analysis", "alerting"):
        release.cluster.kubectl("rollout", "restart", f"statefulset/openlfr-{name}")
    release.rolled_out(limit=400)
    return f"two of analysis and two of alerting in {time.monotonic() - begun:.0f} s"


def drain(release: Release) -> str:
    """Drain one pod; it stays pending until the only node is schedulable again."""
    cluster = release.cluster
    node = cluster.get("pod", LAST)["spec"]["nodeName"]
    begun = time.monotonic()
    try:
        cluster.kubectl("drain", node, "--delete-emptydir-data", "--ignore-daemonsets",
                        "--pod-selector", f"statefulset.kubernetes.io/pod-name={LAST}",
                        "--timeout=120s")  # fmt: skip
    finally:
        cluster.kubectl("uncordon", node)
    release.rolled_out()
    return f"{LAST} drained and back after {time.monotonic() - begun:.0f} s"


def leaves(release: Release) -> str:
    """Measure when the other pod has all partitions; the session timeout is longer."""
    before = release.generation("analysis")
    wanted = total(release)
    release.cluster.kubectl("scale", "statefulset/openlfr-analysis", "--replicas=1")
    session = 45

    def has_all() -> bool:
        return release.metric("openlfr-analysis-0", "openlfr_partitions") == wanted

    took = release.cluster.await_that("handover", has_all, limit=120, pause=0.2)
    after = int(release.metric("openlfr-analysis-0", "openlfr_group_generation"))
    if took >= session or after != before + 1:
        raise Failed(f"all {wanted} partitions after {took:.1f} s, generation {before} -> {after}")
    return (f"all {wanted} partitions with the other one {took:.1f} s after it was scaled down;"
            f" generation {before} -> {after}")  # fmt: skip


def kill_alerting(release: Release, cameras: Any) -> str:
    """Kill one of two alerting pods; no alert is lost then or after its return."""
    pod = "openlfr-alerting-0"
    release.killed.add(release.cluster.get("pod", pod)["metadata"]["uid"])
    release.cluster.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    release.rolled_out()
    return f"{pod} killed"
