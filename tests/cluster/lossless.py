"""When pods are killed, moved or replaced, no published sighting is lost or doubled.

The recorded cameras are filmed once, quietly on one machine, for the truth; then on the cluster,
while pods are killed, the node is drained and the release is upgraded. The events must be the very
same.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from kube import Failed
from street import seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release import Release
    from table import Table

CAMERAS = ("yard-0", "yard-1", "yard-2", "yard-3", "yard-4", "yard-5")


def run(table: Table, release: Release, asked: Any) -> None:
    """Film three pairs of cameras, each with another disturbance."""
    table.row("the live cameras are switched off", release.cameras_off)
    table.row("the truth: one process over the same pictures",
              lambda: f"{len(release.film.truth())} events")  # fmt: skip
    for what, disturb, cameras in (
        ("pods killed (SIGKILL) at work", kill, CAMERAS[:2]),
        ("the node drained at work", drain, CAMERAS[2:4]),
        ("helm upgrade at work", upgrade, CAMERAS[4:]),
    ):
        table.row(what, lambda d=disturb, c=cameras: disturbed(release, d, c))
    table.row("all is ready again", release.rolled_out)


def disturbed(
    release: Release, disturb: Callable[[Release, Sequence[str]], str], cameras: Sequence[str]
) -> str:
    """Film, disturb, and compare the events with the truth."""
    film(release, cameras)
    release.cluster.await_that("first event", lambda: release.alerts(*cameras), limit=300, pause=1)
    how = disturb(release, cameras)
    return f"{how}; {compare(release, cameras)}"


def film(release: Release, cameras: Sequence[str]) -> None:
    release.filming(f"filming-{cameras[0]}", cameras)


def compare(release: Release, cameras: Sequence[str], limit: float = 600) -> str:
    """Wait for the expected events, then compare."""
    truth = [each for each in release.film.truth() if each[4] in cameras]

    wanted = dict.fromkeys(cameras, release.film.frames)

    def there() -> bool:
        return len(release.alerts(*cameras)) >= len(truth) and done()

    def done() -> bool:
        try:
            return release.analysed(*cameras) == wanted
        except Failed:  # the operator's pod may be restarting
            return False

    try:
        took = release.cluster.await_that("it", there, limit=limit, pause=2)
    except Failed:
        events = len(release.alerts(*cameras))
        analysed = release.analysed(*cameras)
        raise Failed(f"{events} of {len(truth)} events after {limit:.0f} s; {analysed}") from None
    given = seen(release.alerts(*cameras))
    if given != truth:
        lost = [each for each in truth if each not in given]
        more = [each for each in given if each not in truth]
        raise Failed(f"lost {lost}, and not in the truth: {more}")
    published, recorded = release.published(*cameras), release.recorded(*cameras)
    sightings = [each[0] for each in recorded]
    if sorted(sightings) != sorted(published):
        raise Failed(f"published {len(published)}, recorded {len(sightings)}")
    if len(set(sightings)) < len(sightings):
        raise Failed("a sighting is recorded twice")
    again = sum(published.values()) - len(published)
    return (
        f"{len(published)} sightings published ({again} of them again, with the same id),"
        f" {len(recorded)} recorded: 0 lost, 0 doubled, as in one process; {took:.0f} s"
    )


def kill(release: Release, cameras: Sequence[str]) -> str:
    """Kill pods one after the other, as when nodes lose power."""
    for pod in ("openlfr-analysis-0", "openlfr-alerting-0"):
        release.killed.add(release.cluster.get("pod", pod)["metadata"]["uid"])
        release.cluster.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
        release.cluster.await_that(
            f"another {pod}",
            lambda p=pod: any(
                each["metadata"]["name"] == p
                and all(
                    s["ready"] for s in each["status"].get("containerStatuses", [{"ready": False}])
                )
                for each in release.cluster.pods(p.split("-")[1])
            ),
            limit=240,
        )
    return "analysis and alerting"


def drain(release: Release, cameras: Sequence[str]) -> str:
    (pod, *_) = release.cluster.pods("analysis")
    node = pod["spec"]["nodeName"]
    begun = time.monotonic()
    try:
        release.cluster.kubectl("drain", node, "--delete-emptydir-data", "--ignore-daemonsets",
                                "--pod-selector", "app.kubernetes.io/instance=openlfr,!test",
                                "--timeout=180s", limit=240)  # fmt: skip
        took = time.monotonic() - begun
    finally:
        release.cluster.kubectl("uncordon", node)
    release.rolled_out()
    return f"drained in {took:.0f} s"


def upgrade(release: Release, cameras: Sequence[str]) -> str:
    begun = time.monotonic()
    release.sets["serviceDefaults"] = {"podLabels": {"round": "two"}}
    failure: list[Failed] = []

    def roll() -> None:
        try:
            release.install(verb="upgrade")
        except Failed as each:
            failure.append(each)

    thread = threading.Thread(target=roll)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return f"every pod replaced in {time.monotonic() - begun:.0f} s"
