"""Publishes the watchlist and the states of deployments from the records on control.v1.

Only one replica of alerting, the leader, publishes. It first publishes the differences between the
records and the topic, then each change. Its heartbeats contain the number of the last change on the
topic. Direct changes to the database have no number. So the relay regularly compares all entries
with their enrolments, and deployments with their acts (`compare`). Other threads synchronise the
vector store and erase data (`leader_jobs.py`), so that no removal waits for that work.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.control import EntryForgotten, Heartbeat, tombstone_of
from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.adapters.kafka.control import ControlWriter
    from openlfr.adapters.redis.leader_election import LeaderElection
    from openlfr.adapters.sql.control import ControlRecords
    from openlfr.domain.control import ControlMessage

INTERVAL_S = 0.5  # between two runs
HEARTBEAT_S = 1.0
"""Seconds between two heartbeats. A new ingest process films no camera before it receives
a heartbeat."""
LEADER_TTL = timedelta(seconds=5)
"""Time without renewal after which another process may lead."""
WRITE_TIMEOUT = timedelta(seconds=2)
"""Timeout of a write; less than `LEADER_TTL`, so that no write succeeds after the leadership."""
MAX_RECORDS = 500
"""Records written between two renewals of the leadership."""

log = structlog.get_logger()


class ControlRelay:
    """The relay of one process; one thread calls `run_once`."""

    def __init__(
        self,
        changes: ControlRecords,
        topic: ControlWriter,
        election: LeaderElection,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without leadership.

        Args:
            changes: The records of entries and deployments.
            topic: The writer of control.v1.
            election: The leader election, with a time to live of `LEADER_TTL`.
            clock: Returns monotonic seconds.
        """
        self._changes = changes
        self._topic = topic
        self._election = election
        self._clock = clock
        self._term: int | None = None  # number of this leadership; None while another process leads
        self._published: int | None = None  # last version on the topic; None until it is read
        self._last_heartbeat_s = 0.0
        self._altered: frozenset[str] = frozenset()
        self._altered_deployments: frozenset[tuple[str, str]] = frozenset()
        self._has_new_altered = False  # whether `compare` has changed either set since the last run
        self.counts: Counter[str] = Counter()

    @property
    def is_leader(self) -> bool:
        """Whether this process was the leader at the last run."""
        return self._term is not None

    def run_once(self) -> None:
        """Publish the changes, and a heartbeat when it is due, if this process leads.

        Raises:
            Unavailable: Redis, the records or Kafka do not answer; the next run publishes again.
        """
        if not self._acquire_or_renew():
            return
        version = self._changes.version()
        if self._has_new_altered:
            self._published, self._has_new_altered = None, False
        if (
            self._published is None or version < self._published
        ):  # a new leader, or a restored backup
            messages, is_heartbeat_due = self._differences(), True
        else:
            is_current = version == self._published
            messages = [] if is_current else list(self._changes.changes_after(self._published))
            is_heartbeat_due = self._clock() - self._last_heartbeat_s >= HEARTBEAT_S
        if is_heartbeat_due:
            messages.append(Heartbeat(datetime.now(UTC), version))
        if messages and self._write(messages):
            self._published = version
            self.counts["told"] += len(messages) - is_heartbeat_due
            self.counts["heartbeats"] += is_heartbeat_due
            self._last_heartbeat_s = self._clock() if is_heartbeat_due else self._last_heartbeat_s

    def compare(self) -> None:
        """Compare entries with their enrolment, and deployments with their acts.

        The next run publishes altered entries and deployments. Another thread may call this.

        Raises:
            Unavailable: The records do not answer.
        """
        altered = self._changes.altered_entries()
        ids = frozenset(altered)
        for each in sorted(ids - self._altered):
            log.warning("not_as_enrolled", reference=each, what=altered[each])
        deployments = frozenset(self._changes.altered_deployments().items())
        for each, difference in sorted(deployments - self._altered_deployments):
            log.warning("not_as_authorised", deployment=each, what=difference)
        if (ids, deployments) != (self._altered, self._altered_deployments):
            self._altered, self._altered_deployments = ids, deployments
            self._has_new_altered = True

    @property
    def altered(self) -> int:
        """Number of listed entries that are not searched, since they were altered."""
        return len(self._altered)

    def resign(self) -> None:
        """Give up the leadership; if Redis does not answer, the term ends after `LEADER_TTL`."""
        self._term = None
        with suppress(Unavailable):
            self._election.resign()

    def _acquire_or_renew(self) -> bool:
        term = self._election.acquire_or_renew()
        if term != self._term:
            self._term, self._published = term, None
            log.info("relay", at_work=term is not None)
        return term is not None

    def _differences(self) -> list[ControlMessage]:
        """Return the messages that make the topic equal to the records."""
        on_topic = self._topic.read_newest_messages()
        in_records = {
            each.key: each
            for each in self._changes.changes_after()
            if not isinstance(each, EntryForgotten)
        }
        messages: list[ControlMessage] = [
            tombstone_of(key) for key in on_topic if key not in in_records
        ]
        for key, recorded in in_records.items():
            published = on_topic.get(key)
            if published is not None and published.version > recorded.version:
                messages.append(tombstone_of(key))  # else readers would ignore the lower version
            if published != recorded:
                messages.append(recorded)
        return messages

    def _write(self, messages: Sequence[ControlMessage]) -> bool:
        """Write messages; return False if another process leads or has written too.

        Then the next run compares the topic with the records.
        """
        term, self._published = self._term, None  # unknown until all messages are written
        for begin in range(0, len(messages), MAX_RECORDS):
            if not self._acquire_or_renew() or self._term != term:
                return False
            if not self._topic.write(messages[begin : begin + MAX_RECORDS]):
                log.warning("another_relay_wrote")
                return False
        return True
