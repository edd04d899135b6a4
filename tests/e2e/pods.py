"""Containers of the rendered chart as processes here: their command, environment and secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from running_city import Process

from awaiting import PATIENCE_S
from rendered_chart import Chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ETC = "/etc/openlfr"


class Pods:
    """The pods of one release, on this machine's own file system."""

    def __init__(
        self,
        folder: Path,
        resources: Sequence[dict[str, Any]],
        files: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Run nothing yet.

        Args:
            folder: Where to work; CONFIG.yaml lies there.
            resources: As helm renders them.
            files: What each Secret holds, by its name and key.
        """
        self._folder = folder
        self._files = files
        self._workloads = {
            each["metadata"]["name"].removeprefix("openlfr-"): each
            for each in resources
            if each["kind"] in ("Deployment", "StatefulSet", "Job")
        }
        self.running: dict[str, Process] = {}

    def environment(self, name: str) -> dict[str, str]:
        """What the container of a workload is given, its secrets as files of this machine."""
        etc = self._folder / f"etc-{name}"
        for volume in self._workloads[name]["spec"]["template"]["spec"]["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                secret = source["secret"]
                for item in secret["items"]:
                    path = etc / item["path"]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.unlink(missing_ok=True)
                    path.write_text(self._files[secret["name"]][item["key"]])
                    path.chmod(volume["projected"]["defaultMode"])
        given = {"OPENLFR_INSTANCE_ID": f"openlfr-{name}-0"}
        for variable, value in Chart.environment(self._workloads[name]).items():
            if value is not None and variable.startswith("OPENLFR_"):
                given[variable] = value.replace(_ETC, str(etc))
        for variable in ("OPENLFR_HTTP", "OPENLFR_MODELS"):  # a port and a folder of the pod
            given.pop(variable, None)
        return given

    def start(self, name: str, *words: object, **environment: str) -> Process:
        """Start a service's container."""
        command = self._command(name)
        given = self.environment(name) | environment
        self.running[name] = Process(self._folder, name, *command, *words, **given)
        return self.running[name]

    def call(
        self, name: str, *words: object, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a container's command to its end, or another one of `openlfr` in it."""
        more = ["-m", "openlfr", *words, "--config", self._folder / "CONFIG.yaml"]
        command = more if words else self._command(name)
        return subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=self._folder, env={**os.environ, **self.environment(name), **environment},
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def close(self) -> None:
        """End the processes that still run."""
        for process in self.running.values():
            if process.popen.poll() is None:
                process.popen.kill()
            process.popen.wait()

    def _command(self, name: str) -> list[str]:
        program, *words = Chart.container(self._workloads[name])["command"]
        assert program == "openlfr"
        config = str(self._folder / "CONFIG.yaml")
        return ["-m", "openlfr", *(each.replace(f"{_ETC}/CONFIG.yaml", config) for each in words)]
