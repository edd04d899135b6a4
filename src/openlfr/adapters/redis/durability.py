"""The durability of a Redis server: the settings that decide what a crash loses."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from openlfr.domain.errors import Unavailable

_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Durability:
    """The settings of a server that decide what a crash or full memory loses.

    Attributes:
        append_only: Whether the server appends each write to a file.
        fsync: Time at which that file reaches the disk: `always`, `everysec` or `no`. Empty if the
            server does not show this setting (a managed server often refuses CONFIG).
        replicas: Number of connected replicas, which are always some writes behind.
        eviction_policy: Policy by which the server deletes keys when its memory is full; empty if
            it deletes none.
    """

    append_only: bool
    fsync: str
    replicas: int
    eviction_policy: str


def read_durability(url: str) -> Durability:
    """Read the settings of a server, without retries.

    Args:
        url: Address of the server, as in `connection.connect`.

    Raises:
        Unavailable: The server does not answer, or refuses this user.
    """
    client = redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
    )
    info: dict[str, Any] = {}
    with closing(client):
        try:
            for section in ("persistence", "replication", "memory"):
                info |= client.info(section)
        except RedisError as error:
            raise Unavailable(f"Redis does not show its settings: {error}") from error
        fsync = _setting(client, "appendfsync")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    return Durability(
        append_only=bool(info.get("aof_enabled")),
        fsync=fsync,
        replicas=int(info.get("connected_slaves", 0)),
        eviction_policy=policy if info.get("maxmemory") and policy != "noeviction" else "",
    )


def _setting(client: redis.Redis, name: str) -> str:
    try:
        return str(client.config_get(name).get(name, ""))
    except RedisError:
        return ""
