"""The process of the embedded Redis: how it is identified by its PID file, and ended."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

from openlfr.adapters.redis.lite_socket import remove_socket

END_S = 10.0
"""Maximum time for a server to end after SIGTERM."""


def find_server(folder: Path) -> psutil.Process | None:
    """Return the process of the PID file if it is a live redis-server in this folder."""
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int((folder / "redis.pid").read_text(encoding="ascii")))
        if (
            process.status() != psutil.STATUS_ZOMBIE
            and process.name().startswith("redis-server")
            and Path(process.cwd()).samefile(folder)
        ):
            return process
    return None


def end_server(folder: Path) -> None:
    """End the folder's server with SIGTERM, on which it writes all data, then with SIGKILL."""
    server = find_server(folder)
    if server is not None:
        with suppress(psutil.NoSuchProcess):
            server.terminate()
            if not wait_for_end(server.pid, END_S):
                server.kill()
                wait_for_end(server.pid, END_S)
    remove_socket(folder)
    (folder / "redis.pid").unlink(missing_ok=True)


def wait_for_end(pid: int, timeout_s: float = 0.0) -> bool:
    """Wait for a process to end, and reap it if it is a child; return whether it has ended."""
    deadline = time.monotonic() + timeout_s
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
