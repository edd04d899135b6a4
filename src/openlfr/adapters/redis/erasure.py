"""Erasing for good: deleted keys leave Redis' append-only file and snapshot as well."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoPermissionError, ResponseError

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    import redis

_PATIENCE_S = 30.0  # a loaded machine may take seconds to fork and write
_POLL_S = 0.02


def rewrite_append_only_file(client: redis.Redis) -> None:
    """Have the file rewritten and wait for that; a server that refuses is left alone.

    A rewrite that runs already may contain erased keys, so another one follows it.

    Raises:
        Unavailable: The file was not rewritten in time.
    """
    deadline = time.monotonic() + _PATIENCE_S
    try:
        _wait_for_rewrite(client, deadline)
        client.bgrewriteaof()
        _wait_for_rewrite(client, deadline, is_ours=True)
    except (NoPermissionError, ResponseError):  # refused, or requested by another client meanwhile
        return


def rewrite_snapshot(client: redis.Redis) -> None:
    """Replace the snapshot, if the server has written any, and wait for that.

    A server that writes no snapshots by itself is not made to; one that refuses is left alone.

    Raises:
        Unavailable: The snapshot was not written in time.
    """
    deadline = time.monotonic() + _PATIENCE_S
    try:
        if not _persistence(client).get("rdb_saves", 0):
            return
        _wait_for_snapshot(client, deadline)
        client.bgsave()
        _wait_for_snapshot(client, deadline)
    except (NoPermissionError, ResponseError):  # refused, or requested by another client meanwhile
        return


def _wait_for_rewrite(client: redis.Redis, deadline: float, *, is_ours: bool = False) -> None:
    while time.monotonic() < deadline:
        state = _persistence(client)
        if not (state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]):
            if not is_ours or str(state.get("aof_last_bgrewrite_status", "ok")) == "ok":
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
    state: Any = client.info("persistence")  # redis-py types every answer as possibly awaitable
    return dict(state)
