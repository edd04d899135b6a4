"""Final erasure: removes deleted keys from Redis' append-only file and snapshot as well."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoPermissionError, ResponseError

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    import redis

_TIMEOUT_S = 30.0  # a loaded machine may need seconds to fork and write
_POLL_S = 0.02


def rewrite_append_only_file(client: redis.Redis) -> None:
    """Make the server rewrite its append-only file, and wait; do nothing if the server refuses.

    A rewrite that is already running may include erased keys, so another rewrite follows it.

    Raises:
        Unavailable: The file was not rewritten in time.
    """
    deadline = time.monotonic() + _TIMEOUT_S
    try:
        _wait_for_rewrite(client, deadline)
        client.bgrewriteaof()
        _wait_for_rewrite(client, deadline, is_own_rewrite=True)
    except (NoPermissionError, ResponseError):  # refused, or another client requested it first
        return


def rewrite_snapshot(client: redis.Redis) -> None:
    """Make the server replace its snapshot, and wait; do nothing if the server refuses.

    A server that has written no snapshot by itself is not made to write one.

    Raises:
        Unavailable: The snapshot was not written in time.
    """
    deadline = time.monotonic() + _TIMEOUT_S
    try:
        if not _persistence(client).get("rdb_saves", 0):
            return
        _wait_for_snapshot(client, deadline)
        client.bgsave()
        _wait_for_snapshot(client, deadline)
    except (NoPermissionError, ResponseError):  # refused, or another client requested it first
        return


def _wait_for_rewrite(
    client: redis.Redis, deadline: float, *, is_own_rewrite: bool = False
) -> None:
    while time.monotonic() < deadline:
        state = _persistence(client)
        if not (state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]):
            if not is_own_rewrite or str(state.get("aof_last_bgrewrite_status", "ok")) == "ok":
                return
            break
        time.sleep(_POLL_S)
    raise Unavailable(
        "Redis has not rewritten its append-only file, which still contains erased events: "
        "check that its disk has room, and try again."
    )


def _wait_for_snapshot(client: redis.Redis, deadline: float) -> None:
    while _persistence(client)["rdb_bgsave_in_progress"]:
        if time.monotonic() >= deadline:
            raise Unavailable(
                "Redis has not written a new snapshot; the old one still contains erased events: "
                "check that its disk has room, and try again."
            )
        time.sleep(_POLL_S)


def _persistence(client: redis.Redis) -> dict[str, Any]:
    state: Any = client.info("persistence")  # redis-py declares replies as possibly awaitable
    return dict(state)
