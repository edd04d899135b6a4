"""Tells every worker who is searchable and how deployments stand: from the records to control.v1.

One replica of alerting does it at a time. It begins with what differs between the records and the
topic, then tells each change, and a heartbeat that says up to which change everything stands
there. What is changed in the records by other means counts no change; so all entries are compared
with their enrolments now and then (`compare`). Meanwhile a second thread carries templates into the
vector store and erases what left, so that neither ever keeps a removal waiting.
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

INTERVAL_S = 0.5
HEARTBEAT_S = 1.0
"""A process that starts waits for the first heartbeat before it films a camera."""
TURN = timedelta(seconds=5)
"""How long the turn of a relay that died stays taken."""
PATIENCE = timedelta(seconds=2)
"""How long a record may be tried: less than a turn, so that none comes after its end."""
AT_ONCE = 500
"""Records that are written before the turn is renewed."""

log = structlog.get_logger()


class Relay:
    """The relay of one process; one thread calls `round`."""

    def __init__(
        self,
        changes: ControlRecords,
        topic: ControlWriter,
        election: LeaderElection,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tell nothing yet.

        Args:
            changes: What to tell.
            topic: Where to.
            election: With a time to live of `TURN`.
            clock: Seconds, only ever growing.
        """
        self._changes = changes
        self._topic = topic
        self._election = election
        self._clock = clock
        self._turn: int | None = None
        self._told: int | None = None  # everything up to this version; None: look at the topic
        self._beat = 0.0
        self._altered: frozenset[str] = frozenset()
        self._found_altered = False  # since the last round: look at the topic
        self.counts: Counter[str] = Counter()

    @property
    def at_work(self) -> bool:
        """Whether it was this process's turn at the last round."""
        return self._turn is not None

    def round(self) -> None:
        """Tell what is to be told now, if it is this process's turn.

        Raises:
            Unavailable: Redis, the records or Kafka do not answer; the next round makes up for it.
        """
        if not self._hold():
            return
        version = self._changes.version()
        if self._found_altered:
            self._told, self._found_altered = None, False
        if self._told is None or version < self._told:  # a new turn, or a restored backup
            messages, beat = self._differences(), True
        else:
            messages = [] if version == self._told else list(self._changes.changed(self._told))
            beat = self._clock() - self._beat >= HEARTBEAT_S
        if beat:
            messages.append(Heartbeat(datetime.now(UTC), version))
        if messages and self._write(messages):
            self._told = version
            self.counts["told"] += len(messages) - beat
            self.counts["heartbeats"] += beat
            self._beat = self._clock() if beat else self._beat

    def compare(self) -> None:
        """Compare every entry with its enrolment; may be called from a thread of its own.

        Which are not as they were enrolled is told in the next round.

        Raises:
            Unavailable: The records do not answer.
        """
        altered = self._changes.altered()
        ids = frozenset(altered)
        for each in sorted(ids - self._altered):
            log.warning("not_as_enrolled", reference=each, what=altered[each])
        if ids != self._altered:
            self._altered, self._found_altered = ids, True

    @property
    def altered(self) -> int:
        """How many listed entries are not searched, since they are not as they were enrolled."""
        return len(self._altered)

    def give_back(self) -> None:
        """Let another process begin at once; where Redis does not answer the turn runs out."""
        self._turn = None
        with suppress(Unavailable):
            self._election.resign()

    def _hold(self) -> bool:
        turn = self._election.acquire_or_renew()
        if turn != self._turn:
            self._turn, self._told = turn, None
            log.info("relay", at_work=turn is not None)
        return turn is not None

    def _differences(self) -> list[ControlMessage]:
        """What makes the topic say what the records say."""
        there = self._topic.standing()
        wanted = {
            each.key: each
            for each in self._changes.changed()
            if not isinstance(each, EntryForgotten)
        }
        messages: list[ControlMessage] = [tombstone_of(key) for key in there if key not in wanted]
        for key, standing in wanted.items():
            known = there.get(key)
            if known is not None and known.version > standing.version:
                messages.append(tombstone_of(key))  # else it would be taken for older news
            if known != standing:
                messages.append(standing)
        return messages

    def _write(self, messages: Sequence[ControlMessage]) -> bool:
        """Whether everything stands on the topic now, after what stood there before."""
        turn, self._told = self._turn, None  # until that is known
        for begin in range(0, len(messages), AT_ONCE):
            if not self._hold() or self._turn != turn:
                return False
            if not self._topic.write(messages[begin : begin + AT_ONCE]):
                log.warning("another_relay_wrote")
                return False
        return True
