"""The city-wide mode on this machine: real servers, processes of services, and their CPU cost.

The benchmarks of the services share this module. Servers, topics and data are removed when the
`with` block ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
from benchmarks.acceptance.findings import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

PATIENCE_S = 180.0
DEPLOYMENT = "benchmark"
"""The id under which everything here is filmed."""

CONFIG = """\
data_dir: data
deployment:
  id: {deployment}
  name: Benchmark
  purpose: To measure the services
  place: Nowhere
  legal_basis: None is needed; nobody real is filmed
  authorised_by: Whoever runs this
  starts: 2020-01-01T00:00Z
  ends: 2199-01-01T00:00Z
cameras:
{cameras}
max_age: {max_age}
services:
{services}
ingest: {{max_cameras: 10000}}
topics: {{replication: 1, frames_retention: {retention}, frames_transit: 2h}}
"""


class Servers(AbstractContextManager["Servers"]):
    """Kafka, Redis, Milvus and PostgreSQL, started by `scripts/services` in a folder.

    Args:
        folder: A new folder, removed at the end; its parent belongs to the caller.
        names: Names of the servers to start.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        folder.parent.chmod(0o711)  # PostgreSQL runs as another user
        try:
            said = self._call("up", *names)
        except RuntimeError:
            self._call("down")
            raise
        lines = [line.strip().partition(": ") for line in said.splitlines()]
        self.urls = {key: value for key, _, value in lines if key in names}

    @property
    def broker(self) -> str:
        """Kafka's host:port."""
        return self.urls["kafka"].removeprefix("kafka://")

    def processes(self) -> dict[str, int]:
        """Return the servers' process ids by name."""
        import json

        state = json.loads((self._folder / "services.json").read_text())
        return {name: each["pid"] for name, each in state.items()}

    def __exit__(self, *_: object) -> None:
        self._call("down")

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, ROOT / "scripts/services", *words, "--folder", self._folder],
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout


class Place(AbstractContextManager["Place"]):
    """A configuration, its data folder, and the processes that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "CONFIG.yaml"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def configure(
        self,
        servers: Servers,
        cameras: Mapping[str, str],
        *,
        max_age: str = "off",
        retention: str = "1h",
    ) -> None:
        """Write CONFIG.yaml; a camera's value is the YAML after its name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(
            CONFIG.format(
                deployment=DEPLOYMENT,
                cameras="\n".join(f"  {name}: {entry}" for name, entry in cameras.items()),
                services="\n".join(f"  {name}: {url}" for name, url in servers.urls.items()),
                max_age=max_age,
                retention=retention,
            )
        )

    def openlfr(self, *words: object) -> str:
        """Run a command and return its output.

        Raises:
            RuntimeError: The command failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "openlfr", *map(str, words), "--config", self.config],
            capture_output=True, text=True, check=False, timeout=600, cwd=self.folder,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"openlfr {' '.join(map(str, words))}: {done.stderr}{done.stdout}")
        return done.stdout

    def start(self, name: str, *command: object, **environment: str) -> subprocess.Popen[bytes]:
        """Start a Python process that writes to NAME.out and NAME.log."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with (
            (self.folder / f"{name}.out").open("wb") as out,
            (self.folder / f"{name}.log").open("wb") as log,
        ):
            self.running[name] = subprocess.Popen(
                [sys.executable, *map(str, command)], stdin=subprocess.DEVNULL,
                stdout=out, stderr=log, cwd=self.folder,
                env={**os.environ, "PYTHONPATH": path, **environment},
                start_new_session=True,  # the kernel shares cores between sessions
            )  # fmt: skip
        return self.running[name]

    def service(self, name: str, *words: object, instance: int = 0) -> subprocess.Popen[bytes]:
        """Start `openlfr service NAME`."""
        title = f"{name}-{instance}" if instance else name
        return self.start(
            title, "-m", "openlfr", "service", name, "--config", self.config, *words,
            OPENLFR_INSTANCE_ID=f"{name}-{instance}",
        )  # fmt: skip

    def log(self, name: str) -> str:
        """Return a process's stderr so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def ready(self, name: str) -> bool:
        """Return whether a Faust worker has logged its partitions."""
        return '"event": "ready"' in self.log(name)

    def wait(self, what: str, condition: Callable[[], Any], *, patience: float = PATIENCE_S) -> Any:
        """Wait until the condition is true.

        Raises:
            RuntimeError: A process failed, or the condition did not become true in time.
        """
        deadline = time.monotonic() + patience
        while not (found := condition()):
            for name, process in self.running.items():
                if process.poll():
                    raise RuntimeError(f"{name} ended with {process.poll()}: {self.log(name)}")
            if time.monotonic() > deadline:
                said = "\n".join(f"{name}: {self.log(name)[-2000:]}" for name in self.running)
                raise RuntimeError(f"no {what} within {patience:.0f} s\n{said}")
            time.sleep(0.1)
        return found

    def stop(self, name: str) -> None:
        """Send SIGTERM to a process, and wait for its end."""
        process = self.running.pop(name)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()

    def __exit__(self, *_: object) -> None:
        for name in list(self.running)[::-1]:
            self.stop(name)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of a process and its descendants, at one moment.

    Attributes:
        at: Monotonic seconds.
    """

    at: float
    cpu: float

    @classmethod
    def now(cls, pid: int) -> Cost:
        """Return the present CPU seconds; 0 for a process that has ended."""
        total = 0.0
        try:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            pass
        return cls(time.monotonic(), total)

    def cores_until(self, later: Cost) -> float:
        """Return the mean number of busy cores until a later moment."""
        return (later.cpu - self.cpu) / max(later.at - self.at, 1e-9)


def load() -> list[float]:
    """Return the machine's load averages of 1, 5 and 15 minutes."""
    return [round(each, 2) for each in os.getloadavg()]
