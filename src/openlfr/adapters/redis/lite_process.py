"""The process of the embedded Redis: finding it by its PID file, and ending it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

from openlfr.adapters.redis.lite_socket import remove_socket

END_S = 10.0
"""Longest time for a server to end after SIGTERM."""


def find(folder: Path) -> psutil.Process | None:
    """The process of the PID file, if it is a live redis-server that works in this folder."""
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int((folder / "redis.pid").read_text(encoding="ascii")))
        if (
            process.status() != psutil.STATUS_ZOMBIE
            and process.name().startswith("redis-server")
            and Path(process.cwd()).samefile(folder)
        ):
            return process
    return None


def end(folder: Path) -> None:
    """End the folder's server: by SIGTERM, on which it writes everything out, then by SIGKILL."""
    server = find(folder)
    if server is not None:
        with suppress(psutil.NoSuchProcess):
            server.terminate()
            if not gone(server.pid, END_S):
                server.kill()
                gone(server.pid, END_S)
    remove_socket(folder)
    (folder / "redis.pid").unlink(missing_ok=True)


def gone(pid: int, within_s: float = 0.0) -> bool:
    """Wait for a process to end; whether it has ended. A child of this process is reaped."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            ended = psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            ended = True
        if ended:
            with suppress(ChildProcessError):  # the process has another parent
                os.waitpid(pid, os.WNOHANG)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)
