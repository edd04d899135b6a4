"""Checks of `openlfr doctor`: the configured servers."""

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


def check_servers(settings: Settings) -> Iterator[Finding]:
    """Check that servers answer, secrets can be read, and Redis stores data safely."""
    from openlfr.domain.errors import Misconfigured

    reachable = set()
    if kafka := settings.services.kafka:
        for broker in kafka.brokers:
            yield _check_address("kafka", f"kafka://{broker}")
    for name in ("redis", "milvus", "sql"):
        if server := getattr(settings.services, name):
            finding = _check_address(name, server.url)
            if finding.state is State.OK:
                reachable.add(name)
            yield finding
    for name in ("kafka", "redis", "milvus", "sql"):
        if server := getattr(settings.services, name):
            try:
                server.check_secrets()
            except Misconfigured as error:
                reachable.discard(name)
                yield Finding(f"secret of {name}", State.FAIL, str(error))
    if "redis" in reachable:
        yield from _check_redis(settings)


def _check_address(name: str, url: str) -> Finding:
    """Check that an address accepts a connection, without a login.

    An address of a file or a local socket passes without a connection.
    """
    parts = urlsplit(url)
    port = parts.port or {"redis": 6379, "milvus": 19530, "sql": 5432}[name]
    if not parts.hostname:  # a file or a socket
        return Finding(f"service {name}", State.OK, "local")
    address = f"{parts.hostname}:{port}" if name == "kafka" else redact_address(url)
    started = time.monotonic()
    try:
        socket.create_connection((parts.hostname, port), timeout=5).close()
    except OSError as error:
        return Finding(
            f"service {name}",
            State.FAIL,
            f"{address} does not answer: {error.strerror or error}",
            f"start the server, or correct services.{name}",
        )
    duration_ms = (time.monotonic() - started) * 1000
    return Finding(f"service {name}", State.OK, f"{address} answers in {duration_ms:.0f} ms")


def _check_redis(settings: Settings) -> Iterator[Finding]:
    """Report the data that a crash or a failover of the configured Redis would lose."""
    from openlfr.adapters.redis.durability import read_durability
    from openlfr.domain.errors import Unavailable

    assert settings.services.redis is not None  # noqa: S101 - `check_servers` tests this
    try:
        durability = read_durability(settings.services.redis.address)
    except Unavailable as error:
        yield Finding(
            "redis durability",
            State.WARN,
            str(error),
            "permit INFO for this user, or check by hand that appendonly is yes",
        )
        return
    yield _describe_durability(durability)
    if durability.eviction_policy:
        yield Finding(
            "redis memory",
            State.WARN,
            f"evicts keys when it is full ({durability.eviction_policy}): alerts would open twice",
            "set maxmemory-policy noeviction",
        )


def _describe_durability(durability: Durability) -> Finding:
    if not durability.append_only:
        return Finding(
            "redis durability",
            State.WARN,
            "has no append-only file: a restart loses all alerts, and a person's next sighting "
            "opens a second alert",
            "set appendonly yes",
        )
    crash = {
        "always": "a crash loses nothing that was acknowledged",
        "everysec": "a crash may lose the last second or two",
        "no": "a crash may lose half a minute",
    }.get(durability.fsync, "the loss by a crash is unknown")
    followers = "1 replica" if durability.replicas == 1 else f"{durability.replicas} replicas"
    failover = (
        f"{followers}: a failover loses data that had not reached the new primary"
        if durability.replicas
        else "no replica: while Redis is down no alert is published, and none is lost"
    )
    return Finding(
        "redis durability",
        State.WARN if durability.fsync == "no" else State.OK,
        f"append-only file: {crash}; {failover}. After a loss the same alert may be opened a "
        "second time; no recorded alert is lost",
        "set appendfsync everysec" if durability.fsync == "no" else "",
    )
