"""The connection to a Redis server, and the retries of its commands."""

from __future__ import annotations

import redis
from redis.backoff import EqualJitterBackoff
from redis.retry import Retry

from openlfr.domain.addresses import redact_address_in, spelling_hint
from openlfr.domain.errors import Misconfigured


def retry_policy() -> Retry:
    """Return the policy of retries: after 0.1 to 1.5 s each, for 3 to 6 s in total.

    A restart of Redis takes less time, and a restart of a process that ended on the error takes
    more. Repeating `fold` is safe: its script distinguishes a repeated call from a replayed
    sighting.
    """
    return Retry(EqualJitterBackoff(base=0.1, cap=1.5), retries=6)


def connect(url: str) -> redis.Redis:
    """Create a client of a Redis server; it connects on first use.

    Args:
        url: A `redis://`, `rediss://` (TLS) or `unix://` url, as redis-py parses it.

    Raises:
        Misconfigured: The url has another scheme, or cannot be parsed.
    """
    try:
        return redis.Redis.from_url(
            url, retry=retry_policy(), socket_connect_timeout=3, socket_timeout=5
        )
    except ValueError as error:
        why = redact_address_in(str(error), url)
        raise Misconfigured(
            f"services.redis is not a Redis url: {why}.{spelling_hint(url)}"
        ) from None
