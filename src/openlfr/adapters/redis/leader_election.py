"""Leader election: one of several processes does a job, and another takes over when it dies.

The leader is named by one key in Redis with a time to live, which the leader renews. The key cannot
stop a former leader: a process that was paused for longer than the time to live still believes to
lead. So everything that a leader does must be safe to do twice.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from redis.exceptions import RedisError

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from datetime import timedelta

    import redis

# KEYS leader, term; ARGV candidate, ttl_ms. Returns the term, false while another process leads.
_ACQUIRE_OR_RENEW = """
local leader = redis.call('GET', KEYS[1])
if leader == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[2]))
end
if leader then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[2])
"""
# KEYS leader; ARGV candidate.
_RESIGN = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class LeaderElection:
    """This process's candidacy for one job."""

    def __init__(self, client: redis.Redis, job: str, *, ttl: timedelta) -> None:
        """Create a candidate; it connects on first use.

        Args:
            client: A Redis client, closed by `close`.
            job: Name of the job, the same in every candidate.
            ttl: Time after which a leader that died is replaced.
        """
        self._client = client
        tag = f"openlfr:turn:{{{quote(job, safe='')}}}"
        self._keys = [f"{tag}:holder", f"{tag}:number"]
        self._candidate = str(uuid.uuid4())
        self._job = job
        self._ttl_ms = max(1, round(ttl.total_seconds() * 1000))
        self._acquire = client.register_script(_ACQUIRE_OR_RENEW)
        self._release = client.register_script(_RESIGN)

    def acquire_or_renew(self) -> int | None:
        """Become leader or stay leader; call it several times in each `ttl`.

        Returns:
            The number of this process's term, a new number if leadership was lost in between.
            None while another process leads.

        Raises:
            Unavailable: Redis does not answer.
        """
        try:
            term = self._acquire(keys=self._keys, args=[self._candidate, str(self._ttl_ms)])
        except (RedisError, OSError) as error:
            raise self._unavailable(error) from error
        return None if term is None else int(term)

    def resign(self) -> None:
        """Let another process lead at once; does nothing if this process does not lead.

        Raises:
            Unavailable: Redis does not answer; the term expires by itself.
        """
        try:
            self._release(keys=self._keys[:1], args=[self._candidate])
        except (RedisError, OSError) as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _unavailable(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"The leader of the job {self._job} cannot be read from Redis ({error}): check that "
            "Redis runs."
        )
