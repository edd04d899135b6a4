"""The alert book in Redis: one atomic script folds a sighting, stores its event and counts it.

Every key of a deployment has the same hash tag, `openlfr:{DEPLOYMENT}:...`, so the script is one
step on a Redis Cluster too: a cluster spreads deployments over its shards, not the subjects of one
deployment. That is on purpose. Tagged by subject, the order of events and the counts would be on
other shards and need steps of their own, which must be idempotent and can lag; and one shard folds
thousands of sightings a second, while a deployment has a few.

An event's content and the id of its sighting are kept for `retention` after folding: old events are
removed as new ones arrive, and every key expires that long after its last write. `forget` erases
the content at once and keeps only the id, so that a replay does not open the alert again. It also
has the server rewrite its append-only file, which would contain erased content until then.
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
from openlfr.adapters.redis.events import event_to_json, flag_in, sighting_from_json
from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import redis

    from openlfr.domain.impossible import ImpossibleMatch
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
_NEAR = 8  # largest number of sightings returned from each side
_CHUNK = 1000  # largest number of events read with one command
_MICROSECOND = timedelta(microseconds=1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


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
        """Create an alert book.

        Args:
            client: A Redis client, closed by `close`.
            retention: Time to keep an event after folding. A sighting replayed later opens or joins
                an alert again, so the retention must be longer than any replay.
            close: Called once after the client was closed, e.g. to end an embedded server.
            trouble: Returns the server's own last error, for the message of an `Unavailable`.
        """
        self._client = client
        self._retention_ms = max(1, round(retention.total_seconds() * 1000))
        self._close = close
        self._trouble = trouble
        self._fold = client.register_script(_FOLD.read_text(encoding="utf-8"))
        self._move = client.register_script(_MOVE)

    def nearest_sightings(self, sighting: Sighting) -> list[Sighting]:
        """The subject's stored sightings nearest in captured time, `_NEAR` to each side."""
        key = _keys(sighting.deployment)
        times, at = key("times", sighting.subject), _microseconds(sighting.captured_at)
        with self._redis_errors():
            earlier = _now(self._client.zrevrangebyscore(times, f"({at}", "-inf", 0, _NEAR))
            later = _now(self._client.zrangebyscore(times, at, "+inf", 0, _NEAR + 1))
            others = [i for i in map(_text, later) if i != sighting.sighting_id]
            ids = [*map(_text, earlier), *others[:_NEAR]]
            contents = _now(self._client.hmget(key("events"), ids)) if ids else []
        return [sighting_from_json(_text(each)) for each in contents if each is not None]

    def has_folded(self, sighting: Sighting, *, call: str = "") -> bool:
        """Whether `fold` would return None."""
        key, sighting_id = _keys(sighting.deployment), sighting.sighting_id
        with self._redis_errors():
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
        impossible: ImpossibleMatch | None = None,
    ) -> AlertEvent | None:
        """Open an alert or join one; None if another call has folded this sighting already.

        A sighting joins the alert of its subject's sighting that is nearest in captured time,
        within `window` to either side (the earlier of two equally near sightings). Within the
        window of two alerts it joins the nearer alert and merges neither, so that operators can
        rely on the ids that they have seen. No sighting joins a forgotten one, and a repeated
        `call` returns None for a forgotten one.
        """
        sighting_id = sighting.sighting_id
        captured = _microseconds(sighting.captured_at)
        reach = window // _MICROSECOND
        key = _keys(sighting.deployment)
        with self._redis_errors():
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
        """Every stored event of the deployment in the order of folding."""
        key = _keys(deployment)
        found = []
        with self._redis_errors():
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

    def event_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Number of events by (camera, hour as 'YYYY-MM-DDTHH' UTC), forgotten events included."""
        return self._counted(deployment, opened=False)

    def opened_alert_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Number of alerts opened, by camera and hour as in `event_counts`."""
        return self._counted(deployment, opened=True)

    def _counted(self, deployment: str, *, opened: bool) -> dict[tuple[str, str], int]:
        with self._redis_errors():
            found = _now(self._client.hgetall(_keys(deployment)("counts")))
        counts = {}
        for field, number in found.items():
            *which, camera, hour = _text(field).split("\x1f")
            if bool(which) == opened:
                counts[camera, hour] = int(number)
        return dict(sorted(counts.items()))

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings; unknown ids are ignored.

        The ids stay known, so `fold` returns None for a replay. The server then rewrites its
        append-only file and its snapshot, if it has any, since both would contain erased and
        expired content until later; this waits for both, also without ids. A server that does not
        let its clients request that is left alone.

        Raises:
            Unavailable: The server does not answer, or has not rewritten its file in time.
        """
        key = _keys(deployment)
        with self._redis_errors():
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
            trouble = self._trouble() if self._trouble is not None else ""
            raise Unavailable(
                "The alert book in Redis cannot be read or written "
                f"({trouble or str(error).rstrip('.')}): check that Redis runs and has memory and "
                "disk."
            ) from error


def _microseconds(moment: datetime) -> int:
    return (moment - _BEGINNING) // _MICROSECOND


def _keys(deployment: str) -> Callable[..., str]:
    """Key names of a deployment; parts are quoted so that none can end the hash tag."""
    tag = f"openlfr:{{{quote(deployment, safe='')}}}"
    return lambda *parts: ":".join((tag, *(quote(part, safe="") for part in parts)))


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


def _text(value: bytes | str) -> str:
    """The text of an answer, whether or not the client decodes responses."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _now(answer: Any) -> Any:
    """The answer untyped: redis-py types every answer as possibly awaitable; ours never are."""
    return answer
