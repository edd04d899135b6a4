"""A server's process: program, port, start, readiness and end."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dev_servers import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PORTS = range(20000, 32000)  # below the ports of outgoing connections
START_S = 120.0  # Milvus takes 10 s on an idle machine
STOP_S = 5.0  # their data does not last
RESTART_S = 90.0  # a killed Milvus's lease in etcd lasts 60 s
STARTED = "started.json"  # the start command, in a server's folder


class Trouble(Exception):
    """A failure, described in a sentence for the user."""


def cache() -> Path:
    """Return the folder for files that are fetched or unpacked once."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("openlfr", appauthor=False))


def free_port() -> int:
    """Return a free loopback port; all other ports are returned before this one again.

    A server opens its port seconds after this call, Milvus a dozen of seconds. So the next call, in
    this process or another, continues after the last returned port.
    """
    import filelock

    last = cache() / "last-port"
    last.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(last.with_name(last.name + ".lock")):
        try:
            first = int(last.read_text()) + 1 - PORTS.start
        except (FileNotFoundError, ValueError):
            first = random.randrange(len(PORTS))  # noqa: S311 - no secret
        for turn in range(first, first + len(PORTS)):
            port = PORTS[turn % len(PORTS)]
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                last.write_text(str(port))
                return port
    raise Trouble(f"No free loopback port from {PORTS.start} to {PORTS.stop - 1}.")


def folder_apart(prefix: str) -> Path:
    """Create a folder with a short path for all users; a test run's guard erases it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    folder.chmod(0o755)
    if mark := os.environ.get(guard.VARIABLE):
        with Path(mark, guard.ELSEWHERE).open("a") as listed:
            listed.write(f"{folder}\n")
    return folder


def need(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Trouble(f"{program} is missing (Debian: apt-get install {package}).")
    return found


def spawn(
    folder: Path,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server that outlives this command; its output is written to its folder.

    Its command is written there too, for `spawn_again`. `environment` extends this process's.
    """
    started = {
        "command": [str(word) for word in command], "environment": dict(environment or {}),
        "cwd": str(cwd or folder), "user": user,
    }  # fmt: skip
    (folder / STARTED).write_text(json.dumps(started, indent=2) + "\n")
    return spawn_again(folder)


def spawn_again(folder: Path) -> subprocess.Popen[bytes]:
    """Start the server of a folder with its former command, ports and data."""
    started = json.loads((folder / STARTED).read_text())
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(
            started["command"], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd=started["cwd"], user=started["user"],
            env=os.environ | started["environment"],
        )  # fmt: skip


def restart(name: str, folder: Path, ready: Callable[[], bool]) -> int:
    """Restart a dead server on its port and data; return its process id.

    PostgreSQL and Milvus refuse to start until the children and the lease of their killed
    predecessor are gone, so a server that ends at once is started again.
    """
    deadline = time.monotonic() + RESTART_S
    while True:
        server = spawn_again(folder)
        try:
            wait(name, folder, server, ready)
        except Trouble:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return server.pid


def wait(
    name: str, folder: Path, server: subprocess.Popen[bytes], ready: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(Exception):
            if ready():
                return
        time.sleep(0.1)
    ended = "ended" if server.poll() is not None else f"did not answer within {START_S:.0f} s"
    said = (folder / "output.txt").read_text(errors="replace").strip().splitlines()[-15:]
    end(server.pid)
    raise Trouble("\n".join((f"{name} {ended}; it said last:", *said)))


def answers(port: int) -> bool:
    """Return whether a program listens on a port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def alive(pid: int, born: float) -> bool:
    """Return whether a process is alive; `born` excludes a later process with its number."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return abs(process.create_time() - born) <= 1 and process.status() != "zombie"
    return False


def end(pid: int, born: float | None = None) -> None:
    """End one process and wait; `born` excludes a later process with its number."""
    import psutil

    try:
        process = psutil.Process(pid)
        if born is not None and abs(process.create_time() - born) > 1:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
    except psutil.NoSuchProcess:
        return
