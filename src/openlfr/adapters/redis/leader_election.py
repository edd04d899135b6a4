"""Leader election: one of several processes does a job, and another replaces it when it dies.

One key in Redis names the leader; it has a time to live, which the leader renews. The key cannot
stop a former leader: a process that was paused for longer than the time to live still acts as the
leader. So two processes must be able to do the job at the same time without damage.
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

# KEYS leader, term; ARGV candidate, ttl_ms. Returns the term; false while another process leads.
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
        """Become or remain leader; must be called several times in each `ttl`.

        Returns:
            The number of this process's term, which is a new number if the process had lost the
            leadership. None while another process leads.

        Raises:
            Unavailable: Redis does not answer.
        """
        try:
            term = self._acquire(keys=self._keys, args=[self._candidate, str(self._ttl_ms)])
        except (RedisError, OSError) as error:
            raise self._unavailable(error) from error
        return None if term is None else int(term)

    def resign(self) -> None:
        """End this process's term, so that another process can lead; do nothing without a term.

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
