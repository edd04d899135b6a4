"""Debian's Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_servers.process import free_port, need, spawn, wait

if TYPE_CHECKING:
    from pathlib import Path


def start(folder: Path) -> tuple[int, str]:
    """Start Redis; return its process id and address."""
    port = free_port()
    server = spawn(
        folder,
        [need("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1",
         "--dir", str(folder), "--save", "", "--appendonly", "yes",
         "--set-proc-title", "no"],  # so that the guard can read its environment
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    wait("Redis", folder, server, lambda: ready(url))
    return server.pid, url


def ready(url: str) -> bool:
    """Return whether Redis answers and has loaded its data."""
    import redis

    with redis.Redis.from_url(url, socket_timeout=5) as client:
        return bool(client.ping())
