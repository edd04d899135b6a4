"""Calls of kubectl and helm as an operator would type them, and the test's own pods."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/openlfr"
RESTRICTED = {
    "pod": {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "container": {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}  # fmt: skip


class Failed(Exception):
    """A row of the table fails; the message is the row's text."""


class NotSeen(Exception):
    """The cluster lacks something that the row requires; the row neither passes nor fails."""


class Cluster:
    """A namespace of a cluster, and its release."""

    def __init__(self, namespace: str, *, kubectl: str, helm: str) -> None:
        self.namespace = namespace
        self._kubectl, self._helm = kubectl, helm
        self.release = "openlfr"

    def kubectl(
        self, *words: object, stdin: bytes | None = None, check: bool = True, limit: float = 300
    ) -> str:
        """Run kubectl in the namespace, and return its output."""
        return self._run([self._kubectl, "-n", self.namespace], words, stdin, check, limit)

    def helm(self, *words: object, check: bool = True, limit: float = 900) -> str:
        """Run helm in the namespace, and return its output."""
        return self._run([self._helm, "-n", self.namespace], words, None, check, limit)

    def get(self, *words: object) -> Any:
        """Return a resource, or a list of resources."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def api_server(self) -> list[str]:
        """Return the API server's addresses: its Service's and its endpoints', for policies."""
        service = self.get("service", "kubernetes", "--namespace", "default")
        slices = self.get("endpointslices", "--namespace", "default", "-l",
                          "kubernetes.io/service-name=kubernetes")["items"]  # fmt: skip
        behind = {at for part in slices for each in part["endpoints"] for at in each["addresses"]}
        return sorted({service["spec"]["clusterIP"], *behind})

    def apply(self, *resources: dict[str, Any]) -> None:
        """Apply resources."""
        for each in resources:
            if each["kind"] != "Namespace":
                each["metadata"] = {"namespace": self.namespace} | each["metadata"]
        content = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(resources)})
        self._run([self._kubectl], ["apply", "-f", "-"], content.encode(), True, 300)

    def secret(self, name: str, files: dict[str, str]) -> None:
        """Create or replace a Secret."""
        what = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
        self.apply(what | {"stringData": files})

    def run(self, pod: str, *command: object, stdin: bytes | None = None, check: bool = True,
            limit: float = 300) -> str:  # fmt: skip
        """Run a command in a pod (`deploy/NAME` too)."""
        into = ["-i"] if stdin is not None else []
        return self.kubectl("exec", *into, pod, "--", *command, stdin=stdin, check=check,
                            limit=limit)  # fmt: skip

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Return the release's pods of a component."""
        labels = (
            f"app.kubernetes.io/instance={self.release},app.kubernetes.io/component={component}"
        )
        found: list[dict[str, Any]] = self.get("pods", "-l", labels)["items"]
        return found

    def await_that(
        self, what: str, condition: Callable[[], object], limit: float = 180, pause: float = 1.0
    ) -> float:
        """Wait until a condition is true, and return the seconds until then.

        Raises:
            Failed: The condition was not true in time.
        """
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > limit:
                raise Failed(f"no {what} within {limit:.0f} s")
            time.sleep(pause)
        return time.monotonic() - begun

    def pod(self, name: str, image: str, command: Sequence[str], *, mounts: dict[str, Any],
            memory: str = "512Mi", labels: dict[str, str] | None = None) -> None:  # fmt: skip
        """Start a pod of the test; `mounts` is path -> volume."""
        names = {path: f"v{number}" for number, path in enumerate(mounts)}
        self.apply({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": {"test": name} | (labels or {})},
            "spec": {
                "restartPolicy": "Never", "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 3,
                "securityContext": RESTRICTED["pod"],
                "containers": [{
                    "name": "main", "image": image, "command": list(command),
                    "securityContext": RESTRICTED["container"],
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"},
                                  "limits": {"memory": memory}},
                    "env": [{"name": "HOME", "value": "/tmp"}],
                    "volumeMounts": [{"name": names[path], "mountPath": path} for path in mounts],
                }],
                "volumes": [{"name": names[path]} | volume for path, volume in mounts.items()],
            },
        })  # fmt: skip
        self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=180s")

    def copy(self, files: dict[str, bytes], pod: str, folder: str) -> None:
        """Copy files into a pod as documented: with tar over stdin."""
        import io
        import tarfile

        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o644
                archive.addfile(entry, io.BytesIO(content))
        self.run(pod, "sh", "-c", f"mkdir -p {folder} && tar -xf - -C {folder}",
                 stdin=packed.getvalue())  # fmt: skip

    def _run(self, program: list[str], words: Sequence[object], stdin: bytes | None, check: bool,
             limit: float) -> str:  # fmt: skip
        command = [*program, *map(str, words)]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, check=False,
                                  timeout=limit)  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(command[3:7])} took longer than {limit:.0f} s") from None
        output = done.stdout.decode(errors="replace")
        errors = done.stderr.decode(errors="replace")
        if check and done.returncode:
            raise Failed(f"{' '.join(command[3:8])}: {(errors or output).strip()[-600:]}")
        return output if check else output + errors
