"""What a Redis server keeps when it dies: whether the alert book would be whole after it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from openlfr.domain.errors import Unavailable

_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Durability:
    """How a server is set up.

    Attributes:
        append_only: Whether it appends each write to a file.
        fsync: `always`, `everysec` or `no`: when that file reaches the disk; empty where the
            server does not tell (a managed one often refuses CONFIG).
        replicas: How many follow it now; they are always some writes behind.
        evicts: The policy by which it throws keys away once its memory is full; empty if it
            never does.
    """

    append_only: bool
    fsync: str
    replicas: int
    evicts: str


def durability_of(url: str) -> Durability:
    """Ask a server, once.

    Args:
        url: As `adapters.redis.connect` takes it.

    Raises:
        Unavailable: It does not answer, or not to this user.
    """
    client = redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=_PATIENCE_S,
        socket_timeout=_PATIENCE_S,
    )
    said: dict[str, Any] = {}
    with closing(client):
        try:
            for section in ("persistence", "replication", "memory"):
                said |= client.info(section)
        except RedisError as error:
            raise Unavailable(f"Redis does not tell how it is set up: {error}") from error
        fsync = _setting(client, "appendfsync")
    policy = str(said.get("maxmemory_policy", "noeviction"))
    return Durability(
        append_only=bool(said.get("aof_enabled")),
        fsync=fsync,
        replicas=int(said.get("connected_slaves", 0)),
        evicts=policy if said.get("maxmemory") and policy != "noeviction" else "",
    )


def _setting(client: redis.Redis, name: str) -> str:
    try:
        return str(client.config_get(name).get(name, ""))
    except RedisError:
        return ""
