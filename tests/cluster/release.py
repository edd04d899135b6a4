"""The release under test: its Secrets and values, its cameras, and a consumer of its alerts."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import street
from kube import CHART, ROOT, Failed
from probes import ANALYSED, METRIC, PUBLISHED, REACHES, RECORDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kube import Cluster

LIVE = ("gate", "door")
CONFIG = "/etc/openlfr/CONFIG.yaml"
JPEGS = "/films"
PORT = 8554
SERVE = (
    "until [ -e /films/ready ]; do sleep 1; done;"
    " exec /usr/bin/python3 -I /cameras_server.py /films/plan"
)
OPERATOR = "deploy/openlfr-operator"
WORKLOADS = ("deployment/openlfr-ingest", "statefulset/openlfr-analysis",
             "statefulset/openlfr-alerting", "deployment/openlfr-operator")  # fmt: skip


class Release:
    """The installed release, and queries of it."""

    def __init__(self, cluster: Cluster, film: street.Street, values: Sequence[Path], *,
                 image: str, cameras_image: str, fps: float) -> None:  # fmt: skip
        self.cluster, self.film = cluster, film
        self._values = list(values)
        self._image, self._cameras_image, self._fps = image, cameras_image, fps
        self._own = Path(tempfile.mkdtemp(prefix="openlfr-cluster-")) / "values.json"
        self.sets: dict[str, Any] = {}
        self.killed: set[str] = set()  # pods that were killed without a grace period

    # -- Prerequisites.

    def namespace(self) -> str:
        """Create a namespace in which only the chart's rules allow anything."""
        name = self.cluster.namespace
        enforce = "pod-security.kubernetes.io/enforce"
        self.cluster.apply(
            {"apiVersion": "v1", "kind": "Namespace",
             "metadata": {"name": name, "labels": {enforce: "restricted"}}},
        )  # fmt: skip
        self.cluster.apply(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
             "metadata": {"name": "default-deny"},
             "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
            # The test's own pods: cameras are looked at, a consumer reads alerts.
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
             "metadata": {"name": "of-the-test"},
             "spec": {"podSelector": {"matchExpressions": [{"key": "test", "operator": "Exists"}]},
                      "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}},
        )  # fmt: skip
        return f"{name}: restricted, default-deny"

    def secrets(self, servers: Path | None) -> str:
        """Create the Secrets: the vault's key, and the credentials that `servers.py` wrote."""
        vault_key = self.film.vault_key
        made = subprocess.run(
            [sys.executable, "-m", "openlfr", "rights", "control-key", "-"],
            input=vault_key, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.cluster.secret("openlfr-vault", {"vault.key": vault_key, "control.key": made.stdout})
        given = json.loads((servers / "secrets.json").read_text()) if servers else {}
        for name, files in given.items():
            self.cluster.secret(name, files)
        return ", ".join(sorted(given))

    def models(self, folder: Path) -> str:
        """Copy the models onto a volume, for clusters without internet access."""
        self.cluster.apply({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "models"},
            "spec": {"accessModes": ["ReadWriteOnce"],
                     "resources": {"requests": {"storage": "1Gi"}}},
        })  # fmt: skip
        self.cluster.pod("models", self._image, _waits(), mounts={
            "/models": {"persistentVolumeClaim": {"claimName": "models"}}, "/tmp": {"emptyDir": {}},
        })  # fmt: skip
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self.cluster.copy(files, "models", "/models")
        self.cluster.kubectl("delete", "pod", "models", "--wait=false")
        return f"{len(files)} files"

    def cameras(self) -> str:
        """Run RTSP cameras in a pod."""
        self.cluster.pod(
            "cameras", self._cameras_image,
            ["sh", "-c", SERVE],
            mounts={"/films": {"emptyDir": {}}, "/tmp": {"emptyDir": {}}},
        )  # fmt: skip
        self.cluster.copy(street.plan(self.film.video, LIVE, PORT), "cameras", "/films/plan")
        self.cluster.run("cameras", "touch", "/films/ready")
        address = self.cluster.get("pod", "cameras")["status"]["podIP"]
        self.sets["networkPolicy"] = {
            "cameras": {"cidrs": [f"{address}/32"], "ports": [PORT]},
            "apiServer": {"cidrs": [f"{each}/32" for each in self.cluster.api_server()]},
        }
        live = {name: f"rtsp://{address}:{PORT}/{name}" for name in LIVE}
        # Whoever films live cameras films those alone.
        for name, jpegs in (("openlfr-config", JPEGS), ("openlfr-config-live", "")):
            config = self.film.config("/var/lib/openlfr", jpegs, live, self._fps)
            self.cluster.secret(name, {"CONFIG.yaml": config})
        return f"{', '.join(LIVE)} at {address}:{PORT}"

    def consumer(self, brokers: str, *, authenticates: bool) -> str:
        """Run the example consumer in a pod, with the rights of any consumer."""
        program = (ROOT / "examples/consume_alerts.py").read_text()
        self.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap",
                            "metadata": {"name": "consumer"},
                            "data": {"consume_alerts.py": program}})  # fmt: skip
        words = ["--bootstrap", brokers, "--group", "test", "--from-beginning"]
        mounts = {"/example": {"configMap": {"name": "consumer"}}, "/tmp": {"emptyDir": {}}}
        if authenticates:
            words += ["--tls", "--ca-file", "/ca/ca.crt", "--sasl", "scram-sha-512", "--username",
                      "openlfr-consumer", "--password-file", "/user/password"]  # fmt: skip
            mounts |= {"/ca": {"secret": {"secretName": "servers-ca"}},
                       "/user": {"secret": {"secretName": "kafka-consumer"}}}  # fmt: skip
        command = ["python", "/example/consume_alerts.py", *words]
        self.cluster.pod("consumer", self._image, command, mounts=mounts)
        return "TLS, SCRAM" if authenticates else ""

    # -- The release.

    def install(self, *words: str, verb: str = "install", timeout: str = "300s") -> str:
        """Run `helm install` or `helm upgrade`."""
        files = self._files()
        output = self.cluster.helm(verb, self.cluster.release, CHART, *files, "--wait",
                                 "--timeout", timeout, *words)  # fmt: skip
        if "STATUS: deployed" not in output:
            raise Failed(output[-400:])
        return ""

    def _files(self) -> list[str]:
        self._own.write_text(json.dumps(self.sets))
        return [word for each in (*self._values, self._own) for word in ("--values", str(each))]

    def render(self, template: str, *sets: str) -> str:
        """Render one template of the chart with the release's values and others."""
        words = [word for each in sets for word in ("--set", each)]
        return self.cluster.helm("template", self.cluster.release, CHART, *self._files(), *words,
                                 "--show-only", template)  # fmt: skip

    def recall(self) -> None:
        """Read the values of an existing release."""
        output = self.cluster.helm("get", "values", self.cluster.release, "--output", "json")
        self.sets = json.loads(output) | self.sets

    def cameras_off(self) -> str:
        """Switch the live cameras off, and wait until their frames are processed."""
        self.cluster.kubectl("delete", "pod", "cameras", "--ignore-not-found")

        def at_rest() -> bool:
            return all(
                self.metric(pod, "openlfr_received_total") == self.metric(pod, "openlfr_acks_total")
                for pod in (each["metadata"]["name"] for each in self.cluster.pods("analysis"))
            )

        took = self.cluster.await_that("rest of analysis", at_rest, limit=240, pause=3)
        return f"every frame of theirs is acknowledged {took:.0f} s later"

    def rolled_out(self, limit: float = 240) -> str:
        """Wait until all pods are ready."""
        begun = time.monotonic()
        for each in WORKLOADS:
            left = max(5, limit - (time.monotonic() - begun))
            self.cluster.kubectl("rollout", "status", each, f"--timeout={left:.0f}s")
        return f"ready after {time.monotonic() - begun:.0f} s"

    def restarts(self) -> str:
        """Check that no container was restarted, and no hook of a pod failed."""
        again = {}
        for component in ("ingest", "analysis", "alerting", "operator"):
            for pod in self.cluster.pods(component):
                for each in pod["status"].get("containerStatuses", []):
                    if each["restartCount"]:
                        last = each["lastState"].get("terminated", {})
                        again[pod["metadata"]["name"]] = (
                            f"{each['restartCount']} times, last with {last.get('exitCode')}"
                        )
        events = self.cluster.get("events")["items"]
        bad = [
            f"{each['reason']}: {each['message'][:160]}"
            for each in events
            if each["involvedObject"].get("uid") not in self.killed
            and (
                each["reason"] in {"FailedPreStopHook", "FailedKillPod"}
                or (each["reason"] == "Unhealthy" and "Liveness" in each["message"])
            )
        ]
        if bad or again:
            raise Failed(f"restarts {again}; {'; '.join(bad)}")
        return "no restart, no failed preStop, no failed liveness"

    # -- Queries.

    def operator(self, *words: str, check: bool = True, limit: float = 300) -> str:
        """Run a person's command in the operator's pod."""
        return self.cluster.run(OPERATOR, "openlfr", *words, "--config", CONFIG, check=check,
                                limit=limit)  # fmt: skip

    def alerts(self, *cameras: str) -> list[dict[str, Any]]:
        """Return the consumer's output lines of these cameras."""
        lines = self.cluster.kubectl("logs", "consumer").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [each for each in events if not cameras or each["camera"] in cameras]

    def published(self, *cameras: str) -> dict[str, int]:
        """Return the sightings on sightings.v1 with their counts."""
        output = self.cluster.run("openlfr-alerting-0", "python", "-c", PUBLISHED)
        return {key: number for camera, key, number in json.loads(output.splitlines()[-1])
                if camera in cameras}  # fmt: skip

    def recorded(self, *cameras: str) -> list[tuple[str, ...]]:
        """Return the events in the records: sighting, event, alert, subject."""
        output = self.cluster.run(OPERATOR, "python", "-c", RECORDED)
        return [tuple(rest) for camera, *rest in json.loads(output.splitlines()[-1])
                if camera in cameras]  # fmt: skip

    def analysed(self, *cameras: str) -> dict[str, int]:
        """Return the number of analysed frames of these cameras, by the tallies."""
        output = self.cluster.run(OPERATOR, "python", "-c", ANALYSED)
        found = json.loads(output.splitlines()[-1])
        return {camera: found.get(camera, 0) for camera in cameras}

    def generation(self, component: str) -> int:
        """Return the generation of a component's consumer group.

        Raises:
            Failed: The pods disagree, or one does not answer.
        """
        found = {
            each["metadata"]["name"]: self.metric(
                each["metadata"]["name"], "openlfr_group_generation"
            )
            for each in self.cluster.pods(component)
        }
        if len(set(found.values())) != 1:
            raise Failed(f"generations {found}")
        return int(found.popitem()[1])

    def metric(self, pod: str, name: str) -> float:
        return float(self.cluster.run(pod, "python", "-c", METRIC, name))

    def reaches(self, component: str, host: str, port: int) -> bool:
        pod = self.cluster.pods(component)[0]["metadata"]["name"]
        return "open" in self.cluster.run(pod, "python", "-c", REACHES, host, port)

    def filming(self, name: str, cameras: Sequence[str]) -> None:
        """Run a pod like ingest's that films recordings as fast as Kafka accepts frames."""
        template = self.cluster.get("deployment", "openlfr-ingest")["spec"]["template"]
        spec = template["spec"]
        container = spec["containers"][0]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe", "ports"):
            container.pop(probe, None)
        container["command"] = _waits()
        container["volumeMounts"].append({"name": "films", "mountPath": JPEGS})
        spec["volumes"].append({"name": "films", "emptyDir": {}})
        for source in next(v for v in spec["volumes"] if v["name"] == "etc")["projected"][
            "sources"
        ]:
            if source.get("secret", {}).get("name") == "openlfr-config-live":
                source["secret"]["name"] = "openlfr-config"
        spec["restartPolicy"] = "Never"
        self.cluster.apply({"apiVersion": "v1", "kind": "Pod",
                            "metadata": {"name": name, "labels": template["metadata"]["labels"]},
                            "spec": spec})  # fmt: skip
        self.cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s")
        files = {each.name: each.read_bytes() for each in (self.film.folder / "jpeg").iterdir()}
        self.cluster.copy(files, name, JPEGS)
        words = [word for each in cameras for word in ("--camera", each)]
        output = self.cluster.run(
            name,
            "openlfr",
            "service",
            "ingest",
            "--config",
            CONFIG,
            "--epoch",
            1,
            "--as-fast-as-possible",
            *words,
            limit=600,
        )
        wanted = sorted(f"{each}: {self.film.frames} sent" for each in cameras)
        self.cluster.kubectl("delete", "pod", name, "--wait=false")
        if (
            sorted(line for line in output.splitlines() if ": " in line and "sent" in line)
            != wanted
        ):
            raise Failed(f"filmed {output[-400:]}")


def _waits() -> list[str]:
    wait = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); signal.pause()"
    )
    return ["python", "-c", wait]
