"""Acts of people: enrol, list, suspend, pause, decide, purge, run the doctor."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kube import Failed
from release import LIVE, OPERATOR

if TYPE_CHECKING:
    from release import Release
    from table import Table

FOLLOWS = timedelta(seconds=30)
"""After so long a suspension is in force on a machine that lets each process wait for its turn."""
QUIET = 15
"""For so many seconds nobody films or searches while the deployment is paused."""
DEPLOYMENT = "Market"  # of street.CONFIG


def run(table: Table, release: Release, asked: Any) -> None:
    """Run commands in the operator's pod while live cameras are filmed."""
    table.row("enrol in the operator's pod, manifest and pictures by tar", lambda: enrol(release))
    table.row("a live alert is read by the consumer", lambda: alert(release))
    table.row("openlfr doctor", lambda: doctor(release))
    first, second = release.film.listed
    table.row("suspend", lambda: suspend(release, first, second))
    table.row("resume", lambda: resume(release, first))
    table.row("the deployment is paused", lambda: pause(release))
    table.row("the deployment is resumed", lambda: resume_deployment(release))
    table.row("decide, and evidence goes", lambda: decide(release))
    table.row("purge", lambda: purge(release))


def enrol(release: Release) -> str:
    cluster = release.cluster
    cluster.copy(release.film.manifest(), OPERATOR, "/tmp/enrol")
    output = release.operator("watchlist", "import", "/tmp/enrol/manifest.csv", limit=600)
    cluster.run(OPERATOR, "rm", "-r", "/tmp/enrol")
    entries = release.operator("watchlist", "list")
    if not all(name in entries for name in release.film.listed):
        raise Failed(output + entries)
    files = "/sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes"
    limit = cluster.run(OPERATOR, "sh", "-c", f"cat {files} 2>/dev/null || true")
    peak = f", {int(limit.split()[0]) / 1e6:.0f} MB at most" if limit.split() else ""
    return f"{len(release.film.listed)} people{peak}"


def alert(release: Release) -> str:
    """Await the first alert of each camera, and return the age of the newest."""
    waited = release.cluster.await_that(
        "alert of each camera and person",
        lambda: {(each["camera"], each["subject"]) for each in release.alerts(*LIVE)}
        >= {(camera, name) for camera in LIVE for name in release.film.listed},
        limit=240, pause=2,
    )  # fmt: skip
    lines = release.alerts(*LIVE)
    late = sorted(
        (_moment(each["emitted_at"]) - _moment(each["captured_at"])).total_seconds()
        for each in lines[-20:]
    )
    return (f"{len(lines)} events after {waited:.0f} s; captured to emitted"
            f" {late[len(late) // 2]:.2f} s p50")  # fmt: skip


def doctor(release: Release) -> str:
    output = release.operator("doctor", "--json", check=False)
    findings = json.loads(output[output.index("[") : output.rindex("]") + 1])
    elsewhere = {f"camera {name}" for name in release.film.recorded}  # in another pod
    findings = [each for each in findings if each["name"] not in elsewhere]
    failed = [f"{each['name']}: {each['found']}" for each in findings if each["state"] == "fail"]
    if failed:
        raise Failed("; ".join(failed))
    warned = [each["name"] for each in findings if each["state"] == "warn"]
    return f"{len(findings)} findings, none failed; warns of {', '.join(warned) or 'nothing'}"


def suspend(release: Release, name: str, other: str) -> str:
    """Check that a suspended person is no longer sighted, and the other one is."""
    release.operator("watchlist", "suspend", name, "--by", "Otto")
    limit = datetime.now(UTC) + FOLLOWS
    captured = _captured(release)
    release.cluster.await_that(
        f"sightings of {other} alone",
        lambda: _captured(release).get(other, captured[other]) > limit + FOLLOWS,
        limit=300,
        pause=3,
    )
    last = _captured(release)[name]
    if last > limit:
        raise Failed(f"{name} was captured {(last - limit + FOLLOWS).total_seconds():.0f} s after")
    after = (last - limit + FOLLOWS).total_seconds()
    return f"the last one was captured {after:+.1f} s after the command had ended"


def resume(release: Release, name: str) -> str:
    begun = datetime.now(UTC)
    release.operator("watchlist", "resume", name, "--by", "Otto")
    release.cluster.await_that(
        f"sighting of {name}", lambda: _captured(release)[name] > begun, limit=180, pause=2
    )
    return f"seen again {(_captured(release)[name] - begun).total_seconds():.0f} s later"


def pause(release: Release) -> str:
    """Check that during a pause no frame is filmed or analysed, and every pod stays ready."""
    by = ("--by", "Otto", "--reason", "a trial")
    release.operator("deployment", "pause", DEPLOYMENT, *by)
    ended = datetime.now(UTC)
    for component in ("ingest", "analysis"):
        release.cluster.await_that(
            f"pause of {component}", lambda c=component: _status(release, c) == "paused", limit=60
        )
    heard = {
        component: (_logged(release, component) - ended).total_seconds()
        for component in ("ingest", "analysis")
    }
    before = _counted(release)
    time.sleep(QUIET)
    more = {name: now - before[name] for name, now in _counted(release).items()}
    last = max(_captured(release).values()) - ended
    unready = [each["metadata"]["name"] for component in heard
               for each in release.cluster.pods(component)
               for state in each["status"]["containerStatuses"] if not state["ready"]]  # fmt: skip
    followed = ", ".join(f"{name} {seconds:+.1f}" for name, seconds in heard.items())
    seen = (
        f"seconds from the command's end: {followed}, capture of the last alert"
        f" {last.total_seconds():+.1f}"
    )
    if any(more.values()) or last > FOLLOWS or unready:
        raise Failed(f"{seen}; in {QUIET} s more of {more}; not ready: {unready}")
    return f"{seen}; no frame for {QUIET} s, every pod ready"


def resume_deployment(release: Release) -> str:
    """Check that after a resume every camera is filmed and raises alerts."""
    begun = datetime.now(UTC)
    release.operator("deployment", "resume", DEPLOYMENT, "--by", "Otto")

    def again() -> dict[str, datetime]:
        moments = [(each["camera"], _moment(each["captured_at"])) for each in release.alerts(*LIVE)]
        return {
            camera: min(at for name, at in moments if name == camera and at > begun)
            for camera in {name for name, at in moments if at > begun}
        }

    release.cluster.await_that("alert of each camera", lambda: len(again()) == len(LIVE), limit=180)
    late = max(again().values()) - begun
    return f"an alert of each camera again, the later one of {late.total_seconds():.0f} s after"


def decide(release: Release) -> str:
    """Reject an alert: the pictures are erased once a second person agrees."""
    rows = [json.loads(each) for each in release.operator("alerts", "list", "--json").splitlines()]
    chosen = rows[-1]  # the oldest, which no sighting joins any more
    folder = "/var/lib/openlfr"
    pictures = f"find {folder} -type f | wc -l"
    before = int(release.cluster.run(OPERATOR, "sh", "-c", pictures))
    output = release.operator(
        "alerts", "decide", chosen["alert_id"], "do_not_engage", "--by", "Otto"
    )
    second = ("alerts", "second", chosen["alert_id"], "do_not_engage", "--by", "Eva")
    release.cluster.await_that(
        "the second look, once the first is final",
        lambda: "do_not_engage" in release.operator(*second, check=False),
        limit=60,
        pause=3,
    )
    release.cluster.await_that(
        "its erasure by alerting",
        lambda: 'erased_at": null' not in release.operator("alerts", "show", second[2], "--json"),
        limit=240,
        pause=5,
    )
    after = int(release.cluster.run(OPERATOR, "sh", "-c", pictures))
    return f"files in the vault {before} -> {after}; {output.strip().splitlines()[0]}"


def purge(release: Release) -> str:
    """Check that data older than a second are erased at once."""
    output = release.operator("purge", "--older-than", "1s", "--dry-run", "--by", "Otto")
    due = sum("Would erase alert" in line for line in output.splitlines())
    release.operator("purge", "--by", "Otto")
    return f"{due} alerts would be due by --older-than 1s; what was due is erased"


def _status(release: Release, component: str) -> str:
    """Return the deployment's state by the page of a component's first pod."""
    pod = release.cluster.pods(component)[0]["metadata"]["name"]
    for status in ("started", "paused"):
        if release.metric(pod, f'openlfr_deployment{{status="{status}"}}') == 1:
            return status
    return "other"


def _logged(release: Release, component: str) -> datetime:
    """Return when a component's first pod last logged the deployment's state."""
    pod = release.cluster.pods(component)[0]["metadata"]["name"]
    lines = release.cluster.kubectl("logs", pod).splitlines()
    events = [json.loads(line) for line in lines if '"event": "deployment"' in line]
    return _moment(events[-1]["at"])


def _counted(release: Release) -> dict[str, float]:
    """Return the number of frames of each live camera on Kafka."""
    pod = release.cluster.pods("ingest")[0]["metadata"]["name"]
    sent = 'openlfr_camera_frames_total{{camera="{}",fate="sent"}}'
    return {camera: release.metric(pod, sent.format(camera)) for camera in LIVE}


def _captured(release: Release) -> dict[str, datetime]:
    """Return the last capture time of each subject."""
    found: dict[str, datetime] = {}
    for each in release.alerts(*LIVE):
        at = _moment(each["captured_at"])
        found[each["subject"]] = max(at, found.get(each["subject"], at))
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
