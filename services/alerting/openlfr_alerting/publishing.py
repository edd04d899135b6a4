"""Publishes verdicts: from the records to verdicts.v1, one process at a time.

The records number what is to be said in the order of its commits. What was written before a process
died and not noted is written again, with the same ids.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.verdicts import VerdictEvent

AT_ONCE = 200


class Outbox(Protocol):
    """What is to be published, as the records have it."""

    def waiting(self, limit: int) -> Sequence[tuple[int, VerdictEvent | None]]:
        """The oldest that were not published, with their numbers."""
        ...

    def published(self, number: int) -> None:
        """Everything up to this number is on the topic."""
        ...


class Topic(Protocol):
    """Where verdicts are published."""

    def write(self, events: Sequence[VerdictEvent]) -> None:
        """Write them in this order; on return the brokers have them all."""
        ...


class VerdictPublisher:
    """The publisher of one process; one thread calls `round` while it is the process's turn."""

    def __init__(self, outbox: Outbox, topic: Topic) -> None:
        self._outbox = outbox
        self._topic = topic
        self.counts: Counter[str] = Counter()

    def round(self) -> bool:
        """Publish some of what waits; whether anything did.

        Raises:
            Unavailable: The records or Kafka do not answer; the next round makes up for it.
        """
        waiting = self._outbox.waiting(AT_ONCE)
        if not waiting:
            return False
        events = [event for _, event in waiting if event is not None]
        self._topic.write(events)
        self._outbox.published(waiting[-1][0])
        self.counts["published"] += len(events)
        self.counts["erased_before"] += len(waiting) - len(events)
        return True
