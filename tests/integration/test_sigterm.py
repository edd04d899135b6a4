"""A service ends on SIGTERM from its first instant on, whatever it waits for.

Each is started with SIGTERM ignored, as the first process of a container is. Without a handler of
its own it would wait until it gives up, and end with another exit code.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from awaiting import PATIENCE_S, await_that
from openlfr.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)

ENDS = {"ingest": 130, "analysis": 0, "alerting": 0}
"""Exit codes of services that were told to end; 3 where what they need did not answer."""
CONFIG = """\
data_dir: data
deployment:
  {{name: Market, purpose: to see, place: The square, legal_basis: Order 1, authorised_by: Otto,
   starts: 2020-01-01T00:00Z, ends: 2199-01-01T00:00Z}}
cameras: {{gate: {{url: "rtsp://127.0.0.1:1/gate", fps: 5}}}}
topics: {{replication: 1}}
services: {{kafka: "{kafka}", redis: "{redis}", milvus: "{milvus}", sql: "{sql}"}}
"""


class Silent:
    """A server that accepts connections and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked = threading.Event()
        self._taken: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self._taken.append(self._listener.accept()[0])
            except OSError:
                return
            self.asked.set()

    def close(self) -> None:
        self._listener.close()
        for each in self._taken:
            each.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    with ExitStack() as closing:
        server = Silent()
        closing.callback(server.close)
        yield server


def configured(folder: Path, silent: Silent, **servers: str) -> Path:
    urls = {
        "kafka": f"kafka://{silent.address}",
        "redis": f"redis://{silent.address}/0",
        "milvus": f"http://{silent.address}",
        "sql": f"postgresql+psycopg://records@{silent.address}/records",
    }
    path = folder / "CONFIG.yaml"
    path.write_text(CONFIG.format(**(urls | servers)))
    return path


def started(name: str, config: Path, *, ignored: bool = True) -> subprocess.Popen[str]:
    """Start a service with SIGTERM ignored until its own handler is installed."""
    begin = "import os, signal, sys; signal.signal(signal.SIGTERM, signal.%s); " % (
        "SIG_IGN" if ignored else "SIG_DFL"
    )
    begin += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    words = ["-m", "openlfr", "service", name, "--config", str(config)]
    return subprocess.Popen(
        [sys.executable, "-c", begin, *words],
        cwd=config.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, Any]:
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=PATIENCE_S)
    return process.returncode, output


@pytest.mark.parametrize("name", ENDS)
def test_a_service_that_waits_for_kafka_ends_on_sigterm(tmp_path, silent, name):
    process = started(name, configured(tmp_path, silent))
    await_that("connection to Kafka", silent.asked.is_set, alive=[process])
    code, output = ended(process)
    assert code == ENDS[name], output


@pytest.mark.parametrize("after_s", [0.05, 0.3, 1.0])
def test_a_service_ends_on_sigterm_at_any_moment_of_its_start(tmp_path, silent, after_s):
    """Before the service has its own handler, the signal's default action ends it."""
    process = started("alerting", configured(tmp_path, silent), ignored=False)
    threading.Event().wait(after_s)
    code, output = ended(process)
    assert code in (0, -signal.SIGTERM), output


@pytest.mark.service
@pytest.mark.parametrize(("name", "away"), [("ingest", "redis"), ("alerting", "sql")])
def test_a_service_that_waits_for_a_store_ends_on_sigterm(tmp_path, silent, servers, name, away):
    config = configured(tmp_path, silent, kafka=servers.url("kafka"))
    assert main(["topics", "apply", "--config", str(config), "--wait", str(PATIENCE_S)]) == 0
    process = started(name, config)
    await_that(f"connection to {away}", silent.asked.is_set, alive=[process])
    code, output = ended(process)
    assert code == ENDS[name], output
