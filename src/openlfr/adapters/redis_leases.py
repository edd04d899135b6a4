"""Camera leases in Redis: who films a camera now, and under which epoch.

A lease is one key with a time to live; whoever holds it renews it. Each time it is taken the
camera's epoch grows, so that analysis can tell frames of a holder that does not know yet that it
lost its lease from those of the next one, and discards the older.

An epoch is one more than the last, and no less than Redis' clock in milliseconds. So it grows over
a Redis that lost the last ones (flushed, evicted, or replaced by a replica that had not heard of
them), too: one that began at 1 again would have analysis discard every frame. The clocks of a Redis
and of its replicas must agree to less than a failover takes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from redis.exceptions import RedisError

from openlfr.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from datetime import timedelta

    import redis

_NEXT = """
local function next_epoch()
  local time, epoch = redis.call('TIME'), redis.call('INCR', KEYS[2])
  local least = time[1] * 1000 + math.floor(time[2] / 1000)
  if epoch < least then
    redis.call('SET', KEYS[2], least)
    return least
  end
  return epoch
end
"""
# KEYS lease, epoch; ARGV holder, ttl_ms, pinned epoch or "". Gives the epoch, false if it is held;
# where the camera's last one is higher than the one pinned, that, and the lease is not taken.
_TAKE = f"""{_NEXT}
local last = ARGV[3] ~= '' and redis.call('GET', KEYS[2])
if last and tonumber(last) > tonumber(ARGV[3]) then return tonumber(last) end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3]) return tonumber(ARGV[3]) end
return next_epoch()
"""
# KEYS lease; ARGV holder, ttl_ms (0 gives it back). Gives 1 if the holder had it.
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2])
else redis.call('DEL', KEYS[1]) end
return 1
"""
# KEYS lease, epoch; ARGV holder. Gives the next epoch, false if the holder has lost it.
_ADVANCE = f"""{_NEXT}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
return next_epoch()
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """A camera that this process films.

    Attributes:
        epoch: That its frames carry.
        holder: Token that tells this holding from every other.
    """

    camera: str
    epoch: int
    holder: str


class CameraLeases:
    """The leases of one deployment's cameras."""

    def __init__(self, client: redis.Redis, deployment: str, *, ttl: timedelta) -> None:
        """Connects when first used.

        Args:
            client: Closed by `close`.
            deployment: Whose cameras.
            ttl: After which a lease that nobody renews is free.
        """
        self._client = client
        self._tag = f"openlfr:{{{quote(deployment, safe='')}}}"
        self._ttl_ms = str(max(1, round(ttl.total_seconds() * 1000)))
        self._take = client.register_script(_TAKE)
        self._renew = client.register_script(_RENEW)
        self._advance = client.register_script(_ADVANCE)

    def take(self, camera: str, *, epoch: int | None = None) -> Lease | None:
        """Take a camera; None while another process holds it.

        Args:
            camera: Its name.
            epoch: The epoch to carry; one that is higher than any before by default.

        Raises:
            Unavailable: Redis does not answer.
        """
        holder = str(uuid.uuid4())
        name = quote(camera, safe="")
        found = self._ask(
            self._take,
            [f"{self._tag}:lease:{name}", f"{self._tag}:epoch:{name}"],
            [holder, self._ttl_ms, "" if epoch is None else str(epoch)],
        )
        if found is not None and epoch is not None and int(found) > epoch:
            raise BadInput(
                f"Camera {camera}: epoch {epoch} is over, its last one was {int(found)}, and "
                "analysis discards frames of an older one: give that or a higher one, or none."
            )
        return None if found is None else Lease(camera, int(found), holder)

    def renew(self, lease: Lease) -> bool:
        """Hold a lease for another `ttl`; False if it is lost."""
        return self._hold(lease, self._ttl_ms)

    def advance(self, lease: Lease) -> Lease | None:
        """The same holding under the next epoch, for another connection; None if it is lost.

        Raises:
            Unavailable: Redis does not answer.
        """
        name = quote(lease.camera, safe="")
        keys = [f"{self._tag}:lease:{name}", f"{self._tag}:epoch:{name}"]
        found = self._ask(self._advance, keys, [lease.holder])
        return None if found is None else replace(lease, epoch=int(found))

    def give_back(self, lease: Lease) -> None:
        """Free a lease; one that is lost is left alone."""
        self._hold(lease, "0")

    def close(self) -> None:
        """Free the connection."""
        self._client.close()

    def _hold(self, lease: Lease, ttl_ms: str) -> bool:
        key = f"{self._tag}:lease:{quote(lease.camera, safe='')}"
        return bool(self._ask(self._renew, [key], [lease.holder, ttl_ms]))

    def _ask(self, script: Any, keys: list[str], args: list[str]) -> Any:
        try:
            return script(keys=keys, args=args)
        except (RedisError, OSError) as error:
            raise Unavailable(
                f"The leases of cameras in Redis cannot be read or written ({error}): check that "
                "it runs."
            ) from error
