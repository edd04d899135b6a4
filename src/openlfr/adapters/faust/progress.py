"""The progress of a worker in a consumer group, which decides whether it must be restarted.

Faust's consumers sometimes stop without an error (faust #175, #523, #549, #640): they send
heartbeats and read nothing. So a worker counts as alive only if its partitions progress while
messages wait in them. Another client reads the number of waiting messages from the brokers
(`lag_watch`).

A message is done when Kafka has stored all its results, even if it is not acknowledged. So frames
that a live track leaves unacknowledged do not count as a stall.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Partition = tuple[str, int]

STUCK_S = 60.0
"""Seconds without progress, while messages wait, after which a worker must be restarted."""
ONE_STUCK_S = 300.0
"""Seconds without progress of one partition, while messages wait in it, before a restart.
The limit is higher, since other partitions with more messages may come first."""
BATCH_STUCK_S = 120.0
"""Seconds after which a batch counts as stuck; the first batches on a GPU are slow."""


@dataclass(slots=True)
class _Offsets:
    """The offsets of a partition.

    Attributes:
        position: Offset of the next message to process; None before the first report.
        end: Offset of the next message to be written; None until the brokers reported it.
        moved_at: Monotonic time of the last progress, or of the last moment without messages.
        start: Offset of the oldest message that still exists.
        next: Offset of the next message to be delivered; None before the first report.
    """

    position: int | None
    end: int | None
    moved_at: float
    start: int = 0
    next: int | None = None

    @property
    def waiting(self) -> int:
        return max(0, (self.end or 0) - self.position) if self.position is not None else 0


class LoopMonitor:
    """A detector of a stopped main loop; the loop calls it in each iteration."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start to measure; `clock` returns monotonic seconds."""
        self._clock = clock
        self._last = clock()

    def __call__(self) -> None:
        """Record an iteration."""
        self._last = self._clock()

    def liveness_problem(self) -> str:
        """Return the reason for a restart of the process; empty while the loop runs."""
        since = self._clock() - self._last
        return f"The main loop has stopped for {since:.0f} s." if since > STUCK_S else ""


class Progress:
    """The progress of one worker, for any thread.

    Attributes:
        counts: Number of messages `received` from Kafka, of messages `acked`, and of messages
            `gone`: deleted by their topic's retention before their delivery.
        conditions: Functions that return the reason why the worker is not ready, or "".
        notes: Functions that return sentences for the health pages about problems that a restart
            does not solve.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without partitions; `clock` returns monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._batches: dict[int, float] = {}
        self._partitions: dict[Partition, _Offsets] | None = None
        self._is_leaving = False
        self._was_assigned = False
        self.counts: Counter[str] = Counter()
        self.conditions: list[Callable[[], str]] = []
        self.notes: list[Callable[[], list[str]]] = []

    def assign(self, partitions: Iterable[Partition] | None) -> None:
        """Record the assigned partitions; None during a rebalance."""
        now = self._clock()
        with self._lock:
            self._was_assigned |= partitions is not None
            self._partitions = (
                None
                if partitions is None
                else {each: _Offsets(None, None, now) for each in partitions}
            )

    def leave(self) -> None:
        """Record that the worker has stopped reading on request."""
        self._is_leaving = True

    @property
    def was_assigned(self) -> bool:
        """Whether partitions were ever assigned; before that no batch can be running."""
        return self._was_assigned

    @property
    def is_leaving(self) -> bool:
        """Whether the worker is leaving its group on request."""
        return self._is_leaving

    @property
    def partitions(self) -> list[Partition]:
        """The assigned partitions."""
        with self._lock:
            return list(self._partitions or ())

    def record_delivery(
        self, topic: str, partition: int, offset: int, committed: int | None = None
    ) -> None:
        """Record a delivered message.

        Args:
            topic: Topic of the message.
            partition: Partition of the message.
            offset: Offset of the message.
            committed: The group's committed offset before the partition's first message.
        """
        with self._lock:
            self.counts["received"] += 1
            offsets = (self._partitions or {}).get((topic, partition))
            if offsets is not None:
                expected = committed if offsets.next is None else offsets.next
                self.counts["gone"] += max(0, offset - expected) if expected is not None else 0
                offsets.next = max(offset + 1, expected or 0)

    def record_done(self, topic: str, partition: int, offset: int) -> None:
        """Record that a message and all earlier messages of its partition are done."""
        with self._lock:
            offsets = (self._partitions or {}).get((topic, partition))
            if offsets is not None and (offsets.position is None or offset >= offsets.position):
                offsets.position, offsets.moved_at = offset + 1, self._clock()

    def record_offsets(
        self,
        ends: Mapping[Partition, int],
        positions: Mapping[Partition, int] | None = None,
        starts: Mapping[Partition, int] | None = None,
    ) -> None:
        """Record the offsets that the brokers report.

        Args:
            ends: End offsets of partitions.
            positions: Start offsets of partitions from which nothing has been processed.
            starts: Offsets of the oldest messages. Earlier messages are deleted: they no longer
                wait, and count as `gone` if they were never delivered. Their deletion is not
                progress, so the remaining messages still reveal a stopped consumer.
        """
        now = self._clock()
        with self._lock:
            for partition, end in ends.items():
                offsets = (self._partitions or {}).get(partition)
                if offsets is None:
                    continue
                if offsets.position is None:
                    offsets.position = (positions or {}).get(partition, end)
                if not offsets.waiting:
                    offsets.moved_at = now  # no waiting message is older than this moment
                if offsets.next is None:
                    offsets.next = offsets.position
                offsets.start = max(offsets.start, (starts or {}).get(partition, 0))
                self.counts["gone"] += max(0, offsets.start - offsets.next)
                offsets.next = max(offsets.next, offsets.start)
                offsets.position = max(offsets.position, offsets.start)
                offsets.end = end

    def has_delivered(self, partition: Partition, offset: int) -> bool:
        """Return whether the message at this offset, or a later message, was delivered."""
        with self._lock:
            offsets = (self._partitions or {}).get(partition)
            return offsets is not None and offsets.next is not None and offsets.next > offset

    def starts(self) -> dict[Partition, int]:
        """Return the offset of each partition's oldest message; 0 before the first report."""
        with self._lock:
            return {each: offsets.start for each, offsets in (self._partitions or {}).items()}

    def unpositioned(self) -> list[Partition]:
        """Return the partitions whose next message to process is not known yet."""
        with self._lock:
            return [each for each, o in (self._partitions or {}).items() if o.position is None]

    def begin_batch(self, batch: int) -> None:
        """Record that a batch is running."""
        with self._lock:
            self._batches[batch] = self._clock()

    def end_batch(self, batch: int) -> None:
        """Record that a batch has ended, with or without success."""
        with self._lock:
            self._batches.pop(batch, None)

    @property
    def has_running_batch(self) -> bool:
        """Whether any batch is running."""
        return bool(self._batches)

    @property
    def lag(self) -> int:
        """Number of messages that wait in the worker's partitions, by the brokers' last report."""
        with self._lock:
            return sum(offsets.waiting for offsets in (self._partitions or {}).values())

    def liveness_problem(self) -> str:
        """Return the reason for a restart of the worker; empty while it makes progress."""
        now = self._clock()
        with self._lock:
            longest = max((now - since for since in self._batches.values()), default=0.0)
            if longest > BATCH_STUCK_S:
                return f"A batch has been running for {longest:.0f} s."
            waiting = [each for each in (self._partitions or {}).values() if each.waiting]
            count = sum(each.waiting for each in waiting)
            moved_at = [each.moved_at for each in waiting]
        if self._is_leaving or not waiting:
            return ""
        since_any, since_slowest = now - max(moved_at), now - min(moved_at)
        if since_any > STUCK_S:
            return f"{count} messages wait, and none was processed for {since_any:.0f} s."
        if since_slowest > ONE_STUCK_S:
            return f"A partition with waiting messages has not moved for {since_slowest:.0f} s."
        return ""

    def health_notes(self) -> list[str]:
        """Return the sentences for the health pages."""
        return [sentence for note in self.notes for sentence in note()]

    def readiness_problem(self) -> str:
        """Return the reason why the worker is not ready; empty if it is ready."""
        with self._lock:
            if self._is_leaving:
                return "The worker is leaving its group."
            if self._partitions is None:
                return "The worker has no partitions yet."
        return next((why for condition in self.conditions if (why := condition())), "")
