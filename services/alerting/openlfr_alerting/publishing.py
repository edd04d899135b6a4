"""Publishes verdicts from the outbox in the records on verdicts.v1, in one process at a time.

The events of the outbox are numbered in the order of commits. If a process dies after it published
events and before it recorded their publication, the next process publishes the events again with
the same ids.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.verdicts import VerdictEvent

MAX_EVENTS = 200  # in one call


class Outbox(Protocol):
    """The outbox of verdicts in the records."""

    def unpublished_events(self, limit: int) -> Sequence[tuple[int, VerdictEvent | None]]:
        """Return the oldest unpublished events with their numbers; None for an erased event."""
        ...

    def mark_published(self, number: int) -> None:
        """Record that all events up to this number are on the topic."""
        ...


class Topic(Protocol):
    """The topic of verdicts."""

    def write(self, events: Sequence[VerdictEvent]) -> None:
        """Write events in this order; on return the brokers have all events."""
        ...


class VerdictPublisher:
    """The publisher of one process; one thread calls `publish_next` while the process leads."""

    def __init__(self, outbox: Outbox, topic: Topic) -> None:
        self._outbox = outbox
        self._topic = topic
        self.counts: Counter[str] = Counter()

    def publish_next(self) -> bool:
        """Publish the next waiting events; return False if none waited.

        Raises:
            Unavailable: The records or Kafka do not answer; the next call publishes the events.
        """
        waiting = self._outbox.unpublished_events(MAX_EVENTS)
        if not waiting:
            return False
        events = [event for _, event in waiting if event is not None]
        self._topic.write(events)
        self._outbox.mark_published(waiting[-1][0])
        self.counts["published"] += len(events)
        self.counts["erased_before"] += len(waiting) - len(events)
        return True
