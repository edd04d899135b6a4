"""What `openlfr doctor` checks of the configured servers."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openlfr.cli.doctor_findings import Finding, State
from openlfr.domain.addresses import redact_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.adapters.redis.durability import Durability
    from openlfr.settings import Settings


def servers(settings: Settings) -> Iterator[Finding]:
    """Whether each server answers, its secrets can be read, and Redis stores data safely."""
    from openlfr.domain.errors import Misconfigured

    answering = set()
    if kafka := settings.services.kafka:
        for broker in kafka.brokers:
            yield _service("kafka", f"kafka://{broker}")
    for name in ("redis", "milvus", "sql"):
        if server := getattr(settings.services, name):
            found = _service(name, server.url)
            if found.state is State.OK:
                answering.add(name)
            yield found
    for name in ("kafka", "redis", "milvus", "sql"):
        if server := getattr(settings.services, name):
            try:
                server.check_secrets()
            except Misconfigured as error:
                answering.discard(name)
                yield Finding(f"secret of {name}", State.FAIL, str(error))
    if "redis" in answering:
        yield from _redis(settings)


def _service(name: str, url: str) -> Finding:
    """Whether the service's address accepts a connection; there is no login."""
    parts = urlsplit(url)
    port = parts.port or {"redis": 6379, "milvus": 19530, "sql": 5432}[name]
    if not parts.hostname:  # a file or a socket
        return Finding(f"service {name}", State.OK, "local")
    shown = f"{parts.hostname}:{port}" if name == "kafka" else redact_address(url)
    begun = time.monotonic()
    try:
        socket.create_connection((parts.hostname, port), timeout=5).close()
    except OSError as error:
        return Finding(
            f"service {name}",
            State.FAIL,
            f"{shown} does not answer: {error.strerror or error}",
            f"start it, or correct services.{name}",
        )
    took = (time.monotonic() - begun) * 1000
    return Finding(f"service {name}", State.OK, f"{shown} answers in {took:.0f} ms")


def _redis(settings: Settings) -> Iterator[Finding]:
    """Data that a crash or a failover of the configured Redis would lose."""
    from openlfr.adapters.redis.durability import durability_of
    from openlfr.domain.errors import Unavailable

    assert settings.services.redis is not None  # noqa: S101 - `servers` asks only then
    try:
        kept = durability_of(settings.services.redis.address)
    except Unavailable as error:
        yield Finding(
            "redis durability",
            State.WARN,
            str(error),
            "let this user run INFO, or check by hand that appendonly is yes",
        )
        return
    yield _durability(kept)
    if kept.evicts:
        yield Finding(
            "redis memory",
            State.WARN,
            f"evicts keys when it is full ({kept.evicts}): alerts would open twice",
            "set maxmemory-policy noeviction",
        )


def _durability(kept: Durability) -> Finding:
    if not kept.append_only:
        return Finding(
            "redis durability",
            State.WARN,
            "has no append-only file: after a restart it has no alerts, and the next sighting of a "
            "person opens a second alert",
            "set appendonly yes",
        )
    crash = {
        "always": "a crash loses nothing that was acknowledged",
        "everysec": "a crash may lose the last second or two",
        "no": "a crash may lose half a minute",
    }.get(kept.fsync, "it does not report how much a crash may lose")
    followers = "1 replica" if kept.replicas == 1 else f"{kept.replicas} replicas"
    failover = (
        f"{followers}: a failover loses what had not reached the new primary"
        if kept.replicas
        else "no replica: while it is down no alert is published, and none is lost"
    )
    return Finding(
        "redis durability",
        State.WARN if kept.fsync == "no" else State.OK,
        f"append-only file: {crash}; {failover}. A lost alert opens again as a second one; "
        "no alert disappears",
        "set appendfsync everysec" if kept.fsync == "no" else "",
    )
