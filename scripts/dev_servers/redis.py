"""Debian's Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_servers.process import answers, free_port, need, spawn, wait

if TYPE_CHECKING:
    from pathlib import Path


def start(folder: Path) -> tuple[int, str]:
    """Start it; its process id and address."""
    port = free_port()
    server = spawn(
        folder,
        [need("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1",
         "--dir", str(folder), "--save", "", "--appendonly", "yes",
         "--set-proc-title", "no"],  # its command line stays readable, to start it again
    )  # fmt: skip
    wait("Redis", folder, server, lambda: answers(port))
    return server.pid, f"redis://127.0.0.1:{port}/0"
