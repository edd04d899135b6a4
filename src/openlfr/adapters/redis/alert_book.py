"""The alert book in Redis: one atomic script folds a sighting, stores its event and counts it.

Every key of a deployment carries the same hash tag, `openlfr:{DEPLOYMENT}:...`, so the script is
one step on a Redis Cluster too: a cluster spreads deployments over its shards, not the subjects
of one deployment. That is on purpose. Tagged by subject, the order of events and the counts would
stand on other shards and need steps of their own, which must be idempotent and can lag; and one
shard folds thousands of sightings a second, while a deployment has a few.

What is kept, and how long: an event's content and the id of its sighting for `retention` after
folding (pruned as new ones arrive; every key expires that long after its last write). `forget`
erases the content at once and keeps only the id, so that a replay does not open the alert again.
A Redis that appends to a file keeps erased content there until that file is rewritten: `forget`
asks for it.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import redis
from redis.backoff import EqualJitterBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from openlfr.adapters.redis.events import event_to_json, flag_in, sighting_from_json
from openlfr.domain.addresses import hide_address, hint_for
from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from openlfr.domain.impossible import Impossible
    from openlfr.domain.sightings import Sighting

_FOLD = Path(__file__).with_name("fold.lua")
# KEYS known, counts; ARGV sighting, kind, alert, field of alerts opened.
_MOVE = """
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before then return false end
local kind, rest = string.match(before, '^(%a+) %S+ (.*)$')
redis.call('HSET', KEYS[1], ARGV[1], table.concat({ARGV[2], ARGV[3], rest}, ' '))
if kind ~= ARGV[2] then
  redis.call('HINCRBY', KEYS[2], ARGV[4], ARGV[2] == 'opened' and 1 or -1)
end
return 1
"""
_NEAR = 8  # sightings that are looked at to each side
_CHUNK = 1000  # events read with one command
_MICROSECOND = timedelta(microseconds=1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_REWRITE_WAIT_S = 30.0  # a loaded machine may take seconds to fork and write


def retrying() -> Retry:
    """How often and how soon a command is tried again: 0.1 to 1.5 s apart, 3 to 6 s in all.

    Longer than a Redis takes to be started again: a process that gives up takes longer than that.
    Safe for `fold`: the script knows a repeated call from a replayed sighting.
    """
    return Retry(EqualJitterBackoff(base=0.1, cap=1.5), retries=6)


def connect(url: str) -> redis.Redis:
    """A client for a Redis server; connects when first used.

    Args:
        url: `redis://`, `rediss://` (TLS) or `unix://`, as redis-py reads them.

    Raises:
        Misconfigured: The url is of another kind.
    """
    try:
        return redis.Redis.from_url(
            url, retry=retrying(), socket_connect_timeout=3, socket_timeout=5
        )
    except ValueError as error:
        why = hide_address(str(error), url)
        raise Misconfigured(f"services.redis is not a Redis url: {why}.{hint_for(url)}") from None


class RedisAlertBook:
    """`AlertBook` over one Redis, or one shard a deployment of a Redis Cluster."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        retention: timedelta,
        close: Callable[[], None] | None = None,
        trouble: Callable[[], str] | None = None,
    ) -> None:
        """Hold the book.

        Args:
            client: Connected lazily; closed by `close`.
            retention: How long an event is kept after folding. A sighting that is replayed later
                than that opens or joins again, so it must exceed any replay.
            close: Called once after the client was closed, e.g. to end an embedded server.
            trouble: Says what the server itself reported, to be added to an `Unavailable`.
        """
        self._client = client
        self._retention_ms = max(1, round(retention.total_seconds() * 1000))
        self._close = close
        self._trouble = trouble
        self._fold = client.register_script(_FOLD.read_text(encoding="utf-8"))
        self._move = client.register_script(_MOVE)

    def near(self, sighting: Sighting) -> list[Sighting]:
        """The stored sightings of its subject nearest in captured time, `_NEAR` to a side."""
        key = _keys(sighting.deployment)
        times, at = key("times", sighting.subject), _microseconds(sighting.captured_at)
        with self._speaking():
            earlier = _now(self._client.zrevrangebyscore(times, f"({at}", "-inf", 0, _NEAR))
            later = _now(self._client.zrangebyscore(times, at, "+inf", 0, _NEAR + 1))
            others = [i for i in map(_text, later) if i != sighting.sighting_id]
            ids = [*map(_text, earlier), *others[:_NEAR]]
            contents = _now(self._client.hmget(key("events"), ids)) if ids else []
        return [sighting_from_json(_text(each)) for each in contents if each is not None]

    def knows(self, sighting: Sighting, *, call: str = "") -> bool:
        """Whether `fold` would give nothing."""
        key, sighting_id = _keys(sighting.deployment), sighting.sighting_id
        with self._speaking():
            known = _now(self._client.hget(key("known"), sighting_id))
            if known is None:
                return False
            same = bool(call) and _text(known).rpartition(" ")[2] == quote(call, safe="")
            return not (same and _now(self._client.hexists(key("events"), sighting_id)))

    def fold(
        self,
        sighting: Sighting,
        *,
        window: timedelta,
        call: str = "",
        impossible: Impossible | None = None,
    ) -> AlertEvent | None:
        """Open an alert or join one; None if another call has folded this sighting already.

        A sighting joins the alert of its subject's sighting that is nearest in captured time,
        within `window` to either side (the earlier of two equally near ones). One that lies
        within the window of two alerts joins the nearer and merges neither: ids that operators
        have seen stay what they are. Sightings that were forgotten attract no others, and a
        repeated `call` gives nothing of them.
        """
        sighting_id = sighting.sighting_id
        captured = _microseconds(sighting.captured_at)
        reach = window // _MICROSECOND
        key = _keys(sighting.deployment)
        with self._speaking():
            answer = self._fold(
                keys=[
                    key("known"),
                    key("order"),
                    key("next"),
                    key("events"),
                    key("counts"),
                    key("times", sighting.subject),
                ],
                args=[
                    sighting_id,
                    quote(call, safe="") or str(uuid.uuid4()),
                    event_to_json(sighting, impossible),
                    alert_id_of(sighting_id),
                    str(captured),
                    str(captured - reach),
                    str(captured + reach),
                    f"{sighting.camera}\x1f{_hour(sighting.captured_at)}",
                    str(time.time_ns() // 1_000_000),
                    str(self._retention_ms),
                ],
            )
        if answer is None:
            return None
        kind, alert_id, content = (_text(part) for part in answer)
        return AlertEvent(
            EventKind(kind), event_id_of(sighting_id), alert_id, sighting, flag_in(content)
        )

    def move(self, event: AlertEvent) -> None:
        """Put a stored event under another alert; sightings after it join that one."""
        sighting = event.sighting
        key = _keys(sighting.deployment)
        with self._speaking():
            self._move(
                keys=[key("known"), key("counts")],
                args=[
                    sighting.sighting_id,
                    str(event.event),
                    event.alert_id,
                    f"opened\x1f{sighting.camera}\x1f{_hour(sighting.captured_at)}",
                ],
            )

    def events(self, deployment: str) -> list[AlertEvent]:
        """Every stored event of the deployment in the order of folding."""
        key = _keys(deployment)
        found = []
        with self._speaking():
            ids = [_text(i) for i in _now(self._client.zrange(key("order"), 0, -1))]
            for start in range(0, len(ids), _CHUNK):
                some = ids[start : start + _CHUNK]
                known = _now(self._client.hmget(key("known"), some))
                contents = _now(self._client.hmget(key("events"), some))
                for sighting_id, entry, content in zip(some, known, contents, strict=True):
                    if entry is not None and content is not None:
                        kind, alert_id = _text(entry).split(" ")[:2]
                        found.append(
                            AlertEvent(
                                EventKind(kind),
                                event_id_of(sighting_id),
                                alert_id,
                                sighting_from_json(_text(content)),
                                flag_in(_text(content)),
                            )
                        )
        return found

    def counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Events counted by (camera, hour as 'YYYY-MM-DDTHH' UTC); forgotten ones stay counted."""
        return self._counted(deployment, opened=False)

    def opened(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Alerts that were opened, counted as `counts` counts events."""
        return self._counted(deployment, opened=True)

    def _counted(self, deployment: str, *, opened: bool) -> dict[tuple[str, str], int]:
        with self._speaking():
            found = _now(self._client.hgetall(_keys(deployment)("counts")))
        counts = {}
        for field, number in found.items():
            *which, camera, hour = _text(field).split("\x1f")
            if bool(which) == opened:
                counts[camera, hour] = int(number)
        return dict(sorted(counts.items()))

    def forget(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings; unknown ids are ignored.

        The ids stay known, so a replay gives None. The server is asked to rewrite its
        append-only file, in which content that was erased or has expired would otherwise stand
        until later, and to write its snapshot anew where it writes such, and this waits for both
        (with no ids, it does that alone). A server that refuses it to its clients is left to its
        operators.

        Raises:
            Unavailable: The server does not answer, or has not rewritten its file in time.
        """
        key = _keys(deployment)
        with self._speaking():
            for start in range(0, len(sighting_ids), _CHUNK):
                some = list(sighting_ids[start : start + _CHUNK])
                contents = _now(self._client.hmget(key("events"), some))
                with self._client.pipeline(transaction=True) as step:
                    for sighting_id, content in zip(some, contents, strict=True):
                        if content is not None:
                            subject = sighting_from_json(_text(content)).subject
                            step.hdel(key("events"), sighting_id)
                            step.zrem(key("times", subject), sighting_id)
                    step.execute()
            self._rewrite_append_only_file()
            self._write_snapshot_anew()

    def _rewrite_append_only_file(self) -> None:
        """Wait for a rewrite that runs already, which may hold the content, then for our own."""
        deadline = time.monotonic() + _REWRITE_WAIT_S
        try:
            self._wait_for_rewrite(deadline)
            self._client.bgrewriteaof()
            self._wait_for_rewrite(deadline, ours=True)
        except (NoPermissionError, ResponseError):  # refused, or somebody else asked meanwhile
            return

    def _wait_for_rewrite(self, deadline: float, *, ours: bool = False) -> None:
        while time.monotonic() < deadline:
            state = _now(self._client.info("persistence"))
            if not (state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]):
                if not ours or str(state.get("aof_last_bgrewrite_status", "ok")) == "ok":
                    return
                break
            time.sleep(0.02)
        raise Unavailable(
            "Redis has not rewritten its append-only file, in which erased events still stand: "
            "check that its disk has room, and try again."
        )

    def _write_snapshot_anew(self) -> None:
        """Wait for another snapshot, where the server has written any: the one before holds it.

        A server that saves none of itself is not made to.
        """
        deadline = time.monotonic() + _REWRITE_WAIT_S
        try:
            if not _now(self._client.info("persistence")).get("rdb_saves", 0):
                return
            self._wait_for_snapshot(deadline)
            self._client.bgsave()
            self._wait_for_snapshot(deadline)
        except (NoPermissionError, ResponseError):  # refused, or somebody else asked meanwhile
            return

    def _wait_for_snapshot(self, deadline: float) -> None:
        while _now(self._client.info("persistence"))["rdb_bgsave_in_progress"]:
            if time.monotonic() >= deadline:
                raise Unavailable(
                    "Redis has not written its snapshot anew, in which erased events still stand: "
                    "check that its disk has room, and try again."
                )
            time.sleep(0.02)

    def close(self) -> None:
        """Free the connection, and the server where this process holds it; safe to call twice."""
        self._client.close()
        if self._close is not None:
            close, self._close = self._close, None
            close()

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn what redis-py raises into sentences."""
        try:
            yield
        except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
            raise Misconfigured(
                f"Redis refuses the user or password in services.redis: {error}."
            ) from error
        except (RedisError, OSError) as error:
            said = self._trouble() if self._trouble is not None else ""
            raise Unavailable(
                "The alert book in Redis does not take or give events "
                f"({said or str(error).rstrip('.')}): check that it runs and has memory and disk."
            ) from error


def _microseconds(moment: datetime) -> int:
    return (moment - _BEGINNING) // _MICROSECOND


def _keys(deployment: str) -> Callable[..., str]:
    """Key names of a deployment; names are quoted so that none can break out of its tag."""
    tag = f"openlfr:{{{quote(deployment, safe='')}}}"
    return lambda *parts: ":".join((tag, *(quote(part, safe="") for part in parts)))


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


def _text(value: bytes | str) -> str:
    """What a client answered, whether or not it decodes responses."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _now(answer: Any) -> Any:
    """redis-py types every answer as one that might have to be awaited; ours never are."""
    return answer
