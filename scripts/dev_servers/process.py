"""A server's process: its program and port, its start, whether it answers, its end."""

from __future__ import annotations

import contextlib
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
    from collections.abc import Callable, Sequence

PORTS = range(20000, 32000)  # below those that the system gives to outgoing connections
START_S = 120.0  # Milvus takes 10 s on an idle machine
STOP_S = 5.0  # nothing of theirs is kept


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


def spawn(folder: Path, command: Sequence[str], **more: object) -> subprocess.Popen[bytes]:
    """Start a server that outlives this command; what it says goes to its folder."""
    with (folder / "output.txt").open("wb") as output:
        return subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, **{"cwd": folder, **more},
        )  # fmt: skip


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
