"""Decides when a process can trust its view of the other processes of the ingest fleet.

After an outage of Redis, or after a pause of this process longer than a lease, the heartbeats of
other processes may be as late as ours. Then the view is not trusted for the lifetime of a lease, so
that other processes have time for a heartbeat. This time is limited, even if Redis remains slow, so
that dead processes are replaced.
"""

from __future__ import annotations

from time import monotonic

import structlog

_MAX_DISTRUST_TTLS = 3  # lease lifetimes after which the view is trusted even if Redis is slow

log = structlog.get_logger()


class ViewTrust:
    """The times of this process's heartbeats.

    Attributes:
        is_failing: Whether Redis did not answer the last heartbeat.
    """

    def __init__(self, ttl_s: float) -> None:
        """Start without a heartbeat; `ttl_s` is the lifetime of a lease in seconds."""
        self.is_failing = False
        self._ttl_s = ttl_s
        # All by the monotonic clock.
        self._joined_s = self._last_heartbeat_s = 0.0
        self._trusted_from_s = 0.0
        self._late_since_s = 0.0  # when heartbeats became late; 0 while they are on time

    def begin(self) -> None:
        """Record the time at which this process becomes a member."""
        self._joined_s = self._last_heartbeat_s = monotonic()

    def distrust(self, seconds: float) -> None:
        """Distrust the view for this time."""
        self._trusted_from_s = monotonic() + seconds

    @property
    def is_trusted(self) -> bool:
        """Whether this process can trust its view of the other processes."""
        return monotonic() >= self._trusted_from_s and not self.is_failing

    @property
    def may_take_over(self) -> bool:
        """Whether cameras may be acquired from processes without any heartbeat since our start.

        By then these processes had time for a heartbeat, even if Redis had answered nobody before.
        """
        return monotonic() >= max(self._trusted_from_s, self._joined_s + self._ttl_s)

    @property
    def silent_s(self) -> float:
        """Seconds since Redis last answered a heartbeat."""
        return monotonic() - self._last_heartbeat_s

    def record_heartbeat(self, sent_at_s: float, *, is_first: bool, has_rejoined: bool) -> None:
        """Record the answer to a heartbeat; distrust the view if heartbeats of others may be late.

        The heartbeats of other processes may be late if Redis failed or was slow, or if this
        process was away for so long that its membership expired. If only this process is slow,
        the other heartbeats are on time.

        Args:
            sent_at_s: When the heartbeat was sent, by the monotonic clock.
            is_first: Whether this is the first heartbeat of the process.
            has_rejoined: Whether the membership had expired.
        """
        now = monotonic()
        late_s, self._last_heartbeat_s = now - self._last_heartbeat_s, now
        if is_first:
            return
        if has_rejoined or self.is_failing or now - sent_at_s > self._ttl_s / 2:
            if has_rejoined or self.is_failing or not self._late_since_s:
                log.warning("leases_renewed_late", late_s=round(late_s, 1), lapsed=has_rejoined)
            self._late_since_s = self._late_since_s or now
            self._trusted_from_s = min(
                now + self._ttl_s, self._late_since_s + _MAX_DISTRUST_TTLS * self._ttl_s
            )
        else:
            self._late_since_s = 0.0
