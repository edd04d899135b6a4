"""One of several processes does a job; when it dies another one takes its turn.

A turn is one key in Redis with a time to live that its holder renews. It says who should do the
job, not who may: a holder that was paused for longer than that does not know yet that it lost its
turn. What is done under a turn must bear being done twice.
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

# KEYS holder, number; ARGV who, ttl_ms. Gives the turn's number, false while another has it.
_HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[2]))
end
if holder then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[2])
"""
# KEYS holder; ARGV who.
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class Turns:
    """This process's wish to do one job."""

    def __init__(self, client: redis.Redis, job: str, *, ttl: timedelta) -> None:
        """Connects when first used.

        Args:
            client: Closed by `close`.
            job: Its name, the same for every process that could do it.
            ttl: After which the turn of a holder that died is free.
        """
        self._client = client
        tag = f"openlfr:turn:{{{quote(job, safe='')}}}"
        self._keys = [f"{tag}:holder", f"{tag}:number"]
        self._who = str(uuid.uuid4())
        self._job = job
        self._ttl_ms = max(1, round(ttl.total_seconds() * 1000))
        self._hold = client.register_script(_HOLD)
        self._free = client.register_script(_GIVE_BACK)

    def hold(self) -> int | None:
        """Take the turn or keep it; call it several times in each `ttl`.

        Returns:
            The number of the turn: another one than before where it was lost in between. None
            while somebody else has it.

        Raises:
            Unavailable: Redis does not answer.
        """
        try:
            number = self._hold(keys=self._keys, args=[self._who, str(self._ttl_ms)])
        except (RedisError, OSError) as error:
            raise self._silent(error) from error
        return None if number is None else int(number)

    def give_back(self) -> None:
        """Free the turn for the next one at once, if it is ours.

        Raises:
            Unavailable: Redis does not answer; the turn runs out by itself.
        """
        try:
            self._free(keys=self._keys[:1], args=[self._who])
        except (RedisError, OSError) as error:
            raise self._silent(error) from error

    def close(self) -> None:
        """Free the connection."""
        self._client.close()

    def _silent(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"Whose turn it is to do {self._job} cannot be asked of Redis ({error}): check that it "
            "runs."
        )
