"""A server's process: its program and port, its start, whether it answers, its end."""

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

PORTS = range(20000, 32000)  # below those that the system gives to outgoing connections
START_S = 120.0  # Milvus takes 10 s on an idle machine
STOP_S = 5.0  # nothing of theirs is kept
RESTART_S = 90.0  # a killed Milvus's lease in etcd lasts 60 s
STARTED = "started.json"  # in a server's folder: how it was started


class Trouble(Exception):
    """A sentence for the person who asked."""


def cache() -> Path:
    """What was fetched or unpacked once is kept here."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("openlfr", appauthor=False))


def free_port() -> int:
    """A free loopback port that nobody else is given before all others were.

    A server takes its port seconds after it was found free, Milvus a dozen of them: whoever asks
    meanwhile, in this process or another, goes on where the last one stopped.
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
    """A folder with a short path in which other users may work; a test run's guard erases it."""
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
    """Start a server that outlives this command; its output goes to its folder.

    So does how it was started, for `spawn_again`. `environment` comes on top of this process's.
    """
    started = {
        "command": [str(word) for word in command], "environment": dict(environment or {}),
        "cwd": str(cwd or folder), "user": user,
    }  # fmt: skip
    (folder / STARTED).write_text(json.dumps(started, indent=2) + "\n")
    return spawn_again(folder)


def spawn_again(folder: Path) -> subprocess.Popen[bytes]:
    """Start the server of a folder as it was started before: its ports, on its data."""
    started = json.loads((folder / STARTED).read_text())
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(
            started["command"], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd=started["cwd"], user=started["user"],
            env=os.environ | started["environment"],
        )  # fmt: skip


def restart(name: str, folder: Path, ready: Callable[[], bool]) -> int:
    """Start a server that died on its port and its data; its process id.

    PostgreSQL's and Milvus's refuse to start until what their killed predecessor left behind is
    gone, its children and its lease, so that one that ends at once is started again.
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
    """Whether something listens on a port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def alive(pid: int, born: float) -> bool:
    """Whether a process is at work; `born` tells it from a later one with its number."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return abs(process.create_time() - born) <= 1 and process.status() != "zombie"
    return False


def end(pid: int, born: float | None = None) -> None:
    """End one process and wait for it; `born` tells it from a later one with its number."""
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
