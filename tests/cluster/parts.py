"""The parts of a run, in order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import lossless
import members
import people
import scaling
from kube import Failed

if TYPE_CHECKING:
    from release import Release
    from table import Table

RECORDED = (*scaling.CAMERAS, *lossless.CAMERAS, *members.CAMERAS, *scaling.BY_PROCESSOR,
            *scaling.BY_BUSY_TIME)  # fmt: skip


def run(table: Table, release: Release, asked: Any) -> None:
    """Run every requested part."""
    parts = {
        "install": install, "people": people.run, "reach": reach, "lossless": lossless.run,
        "members": members.run, "scaling": scaling.run, "end": end,
    }  # fmt: skip
    if asked.only and "install" not in asked.only:
        release.recall()
    else:
        release.sets = settings(asked)
    for name, part in parts.items():
        if not asked.only or name in asked.only:
            part(table, release, asked)


def settings(asked: Any) -> dict[str, Any]:
    """Return the chart values that the run requires."""
    models = {"install": False, "volume": {"existingClaim": "models"}} if asked.models else {}
    return {
        "models": models,
        "config": {"secret": {"name": "openlfr-config"}},
        "evidence": {"keySecret": {"name": "openlfr-vault"}},
        # Every frame counts, also during a worker's restart.
        "topics": {"framesTransit": "1h", "framesRetention": "30m"},
        "services": {"ingest": {"configSecret": "openlfr-config-live"}},
    }


def install(table: Table, release: Release, asked: Any) -> None:
    """Install a working release into an empty namespace."""
    table.row("namespace", release.namespace)
    table.row("secrets", lambda: release.secrets(asked.servers))
    if asked.models:
        table.row("models on a volume", lambda: release.models(asked.models))
    table.row("RTSP cameras in a pod", release.cameras)
    table.row("a wrong CONFIG.yaml is reported as itself", lambda: wrong_config(release))
    table.row("helm install --wait, where everything is closed", release.install)
    table.row("all is ready", release.rolled_out)
    table.row(
        "a consumer of alerts in a pod",
        lambda: release.consumer(brokers(release), authenticates=bool(asked.servers)),
    )


def brokers(release: Release) -> str:
    """Return the Kafka address of the release."""
    pod = release.cluster.get("statefulset", "openlfr-alerting")["spec"]["template"]["spec"]
    (url,) = [e["value"] for e in pod["containers"][0]["env"] if e["name"] == "OPENLFR_KAFKA_URL"]
    return str(url).removeprefix("kafka://")


def wrong_config(release: Release) -> str:
    """Check that helm reports a wrong configuration soon."""
    release.cluster.secret("openlfr-config-wrong", {"CONFIG.yaml": "data_dir: data\ncamras: {}\n"})
    begun = time.monotonic()
    try:
        release.install("--set", "jobs.configSecret=openlfr-config-wrong")
    except Failed as failure:
        output = str(failure)
    else:
        raise Failed("helm installed it")
    took = time.monotonic() - begun
    log = release.cluster.kubectl("logs", "job/openlfr-topics")
    release.cluster.helm("uninstall", release.cluster.release, "--wait", check=False)
    release.cluster.kubectl("delete", "job", "openlfr-topics", "--ignore-not-found")
    if "camras" not in log or "timed out" in output or took > 120:
        raise Failed(f"after {took:.0f} s: {output}; the Job's log: {log}")
    return f"helm fails after {took:.0f} s; {log.strip().splitlines()[-1][:160]}"


def reach(table: Table, release: Release, asked: Any) -> None:
    """Check that forbidden addresses cannot be reached."""
    servers = addresses(release)
    expected = {
        "ingest": {"kafka", "redis", "camera"},
        # Whether a pod is to come back is asked of the API server when it ends.
        "analysis": {"kafka", "milvus", "API server"},
        "alerting": {"kafka", "redis", "milvus", "sql", "API server"},
        "operator": {"kafka", "redis", "milvus", "sql"},
    }

    def look(component: str) -> str:
        found = {
            name
            for name, at in servers.items()
            if name != f"page of {component}" and release.reaches(component, *at)
        }
        if found != expected[component]:
            raise Failed(f"reaches {sorted(found)}, and should {sorted(expected[component])}")
        return f"{', '.join(sorted(found))} and nothing else of {len(servers)}"

    for component in expected:
        table.row(f"{component} reaches what it uses alone", lambda c=component: look(c))


def addresses(release: Release) -> dict[str, tuple[str, int]]:
    """Return the addresses of servers, a camera, the API server and other pods' pages."""
    from urllib.parse import urlsplit

    spec = release.cluster.get("statefulset", "openlfr-alerting")["spec"]["template"]["spec"]
    given = {e["name"]: e.get("value", "") for e in spec["containers"][0]["env"]}
    standard = {"redis": 6379, "milvus": 19530, "sql": 5432}
    found: dict[str, tuple[str, int]] = {}
    for name, port in standard.items():
        url = urlsplit(given[f"OPENLFR_{name.upper()}_URL"])
        found[name] = (url.hostname or "", url.port or port)
    host, _, port_ = brokers(release).split(",")[0].rpartition(":")
    found["kafka"] = (host, int(port_))
    found["camera"] = (release.cluster.get("pod", "cameras")["status"]["podIP"], 8554)
    api = release.cluster.kubectl("get", "svc", "kubernetes", "-n", "default", "-o",
                                  "jsonpath={.spec.clusterIP}")  # fmt: skip
    found["API server"] = (api, 443)
    for component in ("ingest", "analysis", "alerting"):
        pod = release.cluster.pods(component)[0]
        found[f"page of {component}"] = (pod["status"]["podIP"], 6066)
    return found


def pods(release: Release) -> list[str]:
    """Check the release's pods at the end."""
    of = f"app.kubernetes.io/instance={release.cluster.release}"
    return release.cluster.kubectl("get", "pods", "-l", of, "-o", "name").split()


def end(table: Table, release: Release, asked: Any) -> None:
    """Uninstall, and check the remaining resources."""
    cluster = release.cluster
    table.row("on the way", release.restarts)

    def uninstall() -> str:
        cluster.helm("uninstall", cluster.release, "--wait", "--timeout", "180s")
        claims = [each["metadata"]["name"] for each in cluster.get("pvc")["items"]]
        if "openlfr-evidence" not in claims:
            raise Failed(f"left: {claims}")
        cluster.await_that("end of its pods", lambda: not pods(release), limit=120)
        left = cluster.kubectl(
            "get",
            "all,networkpolicy,sa,pdb,cm",
            "-l",
            f"app.kubernetes.io/instance={cluster.release}",
            "-o",
            "name",
        )
        if left.strip():
            raise Failed(f"left behind: {left}")
        return f"claims left: {', '.join(claims)}"

    table.row("helm uninstall keeps the evidence, and nothing else", uninstall)
    table.row("no preStop hook failed at the end", release.restarts)
