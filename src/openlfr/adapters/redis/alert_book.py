"""The alert book in Redis: one atomic script folds a sighting, stores its event and counts it.

Every key of a deployment has the same hash tag, `openlfr:{DEPLOYMENT}:...`, so the script is one
atomic step on a Redis Cluster too. A cluster spreads deployments over its shards, but not the
subjects of one deployment. With a tag per subject, the order of events and the counts would be on
other shards. Updating order and counts would need separate steps, which must be idempotent and can
lag. One shard is enough: it folds thousands of sightings a second, and a deployment has a few a
second.

An event's content and the id of its sighting are retained for `retention` after folding. Old events
are removed when new events arrive, and every key expires `retention` after its last write. `erase`
removes the content at once and retains only the id, so that a replay does not open the alert again.
The server then rewrites its append-only file, which contains erased content until then.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
)

from openlfr.adapters.redis.erasure import rewrite_append_only_file, rewrite_snapshot
from openlfr.adapters.redis.events import event_to_json, parse_flag, sighting_from_json
from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import redis

    from openlfr.domain.impossible import ImpossibleMatch
    from openlfr.domain.sightings import Sighting

_FOLD = Path(__file__).with_name("fold.lua")
# KEYS known, counts; ARGV sighting, kind, alert, field of the count of opened alerts.
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
_MAX_PER_SIDE = 8  # maximum number of sightings returned from each side
_CHUNK = 1000  # maximum number of events read with one command
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RedisAlertBook:
    """The `AlertBook` port on one Redis, or on a Redis Cluster with one shard per deployment."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        retention: timedelta,
        close: Callable[[], None] | None = None,
        last_error: Callable[[], str] | None = None,
    ) -> None:
        """Create an alert book.

        Args:
            client: A Redis client, closed by `close`.
            retention: Time for which an event is retained after folding. A sighting replayed later
                opens or joins an alert again, so the retention must be longer than any replay.
            close: Called once after the client was closed, e.g. to end an embedded server.
            last_error: Returns the server's own last error, for the message of an `Unavailable`.
        """
        self._client = client
        self._retention_ms = max(1, round(retention.total_seconds() * 1000))
        self._close = close
        self._last_error = last_error
        self._fold = client.register_script(_FOLD.read_text(encoding="utf-8"))
        self._move = client.register_script(_MOVE)

    def nearest_sightings(self, sighting: Sighting) -> list[Sighting]:
        """Return the subject's nearest stored sightings, up to `_MAX_PER_SIDE` on each side."""
        key = _keys(sighting.deployment)
        times, captured_us = key("times", sighting.subject), _microseconds(sighting.captured_at)
        with self._redis_errors():
            earlier = _untyped(
                self._client.zrevrangebyscore(times, f"({captured_us}", "-inf", 0, _MAX_PER_SIDE)
            )
            later = _untyped(
                self._client.zrangebyscore(times, captured_us, "+inf", 0, _MAX_PER_SIDE + 1)
            )
            others = [i for i in map(_text, later) if i != sighting.sighting_id]
            ids = [*map(_text, earlier), *others[:_MAX_PER_SIDE]]
            contents = _untyped(self._client.hmget(key("events"), ids)) if ids else []
        return [sighting_from_json(_text(each)) for each in contents if each is not None]

    def has_folded(self, sighting: Sighting, *, call: str = "") -> bool:
        """Return whether `fold` would return None.

        Then another call has folded this sighting, or the stored event is erased.
        """
        key, sighting_id = _keys(sighting.deployment), sighting.sighting_id
        with self._redis_errors():
            known = _untyped(self._client.hget(key("known"), sighting_id))
            if known is None:
                return False
            is_same_call = bool(call) and _text(known).rpartition(" ")[2] == quote(call, safe="")
            return not (is_same_call and _untyped(self._client.hexists(key("events"), sighting_id)))

    def fold(
        self,
        sighting: Sighting,
        *,
        window: timedelta,
        call: str = "",
        impossible: ImpossibleMatch | None = None,
    ) -> AlertEvent | None:
        """Assign a sighting to an alert; return None if another call has folded the sighting.

        The sighting joins the alert of its subject's nearest sighting in capture time, if that is
        within `window` before or after. Of two equally near sightings the earlier counts. Within
        the window of two alerts the sighting joins the nearer alert. The alerts are not merged, so
        that the ids that operators have read stay valid. No sighting joins an erased sighting,
        and a repeated `call` returns None for an erased sighting.
        """
        sighting_id = sighting.sighting_id
        captured_us = _microseconds(sighting.captured_at)
        window_us = window // _MICROSECOND
        key = _keys(sighting.deployment)
        with self._redis_errors():
            result = self._fold(
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
                    str(captured_us),
                    str(captured_us - window_us),
                    str(captured_us + window_us),
                    f"{sighting.camera}\x1f{_hour(sighting.captured_at)}",
                    str(time.time_ns() // 1_000_000),
                    str(self._retention_ms),
                ],
            )
        if result is None:
            return None
        kind, alert_id, content = (_text(part) for part in result)
        return AlertEvent(
            EventKind(kind), event_id_of(sighting_id), alert_id, sighting, parse_flag(content)
        )

    def move(self, event: AlertEvent) -> None:
        """Move a stored event to another alert; later sightings join that alert."""
        sighting = event.sighting
        key = _keys(sighting.deployment)
        with self._redis_errors():
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
        """Return all stored events of the deployment in the order of folding."""
        key = _keys(deployment)
        events = []
        with self._redis_errors():
            ids = [_text(i) for i in _untyped(self._client.zrange(key("order"), 0, -1))]
            for start in range(0, len(ids), _CHUNK):
                chunk = ids[start : start + _CHUNK]
                known = _untyped(self._client.hmget(key("known"), chunk))
                contents = _untyped(self._client.hmget(key("events"), chunk))
                for sighting_id, entry, content in zip(chunk, known, contents, strict=True):
                    if entry is not None and content is not None:
                        kind, alert_id = _text(entry).split(" ")[:2]
                        events.append(
                            AlertEvent(
                                EventKind(kind),
                                event_id_of(sighting_id),
                                alert_id,
                                sighting_from_json(_text(content)),
                                parse_flag(_text(content)),
                            )
                        )
        return events

    def event_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Return the number of events by camera and UTC hour, erased events included."""
        return self._read_counts(deployment, of_opened_alerts=False)

    def opened_alert_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Return the number of opened alerts by camera and UTC hour."""
        return self._read_counts(deployment, of_opened_alerts=True)

    def _read_counts(
        self, deployment: str, *, of_opened_alerts: bool
    ) -> dict[tuple[str, str], int]:
        with self._redis_errors():
            fields = _untyped(self._client.hgetall(_keys(deployment)("counts")))
        counts = {}
        for field, number in fields.items():
            *prefix, camera, hour = _text(field).split("\x1f")
            if bool(prefix) == of_opened_alerts:
                counts[camera, hour] = int(number)
        return dict(sorted(counts.items()))

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings; unknown ids are ignored.

        The ids are retained, so `fold` returns None for a replay. Also without ids, the server then
        rewrites its append-only file and its snapshot, because both may still contain erased and
        expired content. The call returns after the rewrites. A server that refuses the rewrite
        keeps its files.

        Raises:
            Unavailable: The server does not answer, or has not rewritten a file in time.
        """
        key = _keys(deployment)
        with self._redis_errors():
            for start in range(0, len(sighting_ids), _CHUNK):
                chunk = list(sighting_ids[start : start + _CHUNK])
                contents = _untyped(self._client.hmget(key("events"), chunk))
                with self._client.pipeline(transaction=True) as transaction:
                    for sighting_id, content in zip(chunk, contents, strict=True):
                        if content is not None:
                            subject = sighting_from_json(_text(content)).subject
                            transaction.hdel(key("events"), sighting_id)
                            transaction.zrem(key("times", subject), sighting_id)
                    transaction.execute()
            rewrite_append_only_file(self._client)
            rewrite_snapshot(self._client)

    def close(self) -> None:
        """Close the connection, and end the embedded server if there is one; safe to call twice."""
        self._client.close()
        if self._close is not None:
            close, self._close = self._close, None
            close()

    @contextmanager
    def _redis_errors(self) -> Iterator[None]:
        """Turn the exceptions of redis-py into OpenLFR's errors."""
        try:
            yield
        except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
            raise Misconfigured(
                f"Redis refuses the user or password in services.redis: {error}."
            ) from error
        except (RedisError, OSError) as error:
            server_error = self._last_error() if self._last_error is not None else ""
            raise Unavailable(
                "The alert book in Redis cannot be read or written "
                f"({server_error or str(error).rstrip('.')}): check that Redis runs and has memory "
                "and disk."
            ) from error


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _keys(deployment: str) -> Callable[..., str]:
    """Return a function that builds the deployment's keys from quoted parts.

    Without quotes a part could end the hash tag.
    """
    tag = f"openlfr:{{{quote(deployment, safe='')}}}"
    return lambda *parts: ":".join((tag, *(quote(part, safe="") for part in parts)))


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


def _text(value: bytes | str) -> str:
    """Return the text of a reply, whether or not the client decodes replies."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _untyped(reply: Any) -> Any:
    """Return a reply as `Any`: redis-py declares all replies as possibly awaitable."""
    return reply
