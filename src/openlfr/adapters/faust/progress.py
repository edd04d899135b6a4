"""Whether a worker of a consumer group gets on with its work: what its health page tells.

Faust's consumers have died quietly (faust #175, #523, #549, #640): they go on heartbeating and read
nothing. So a worker is alive only as long as its partitions move while something waits in them,
and what waits is asked of the brokers by another client (`lag_watch`). A message counts as done
when everything that it gave is with Kafka, whether or not it is acknowledged: frames that a live
track holds back on purpose are done, and no stall.
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
"""After how long without getting on, while something waits, a worker is to be started anew."""
ONE_STUCK_S = 300.0
"""The same for one partition alone: others may have more to give, and come first, for a while."""
BATCH_STUCK_S = 120.0
"""After how long a batch counts as stuck: the first ones of a GPU take their time."""


@dataclass(slots=True)
class _Place:
    """Where a partition stands.

    Attributes:
        position: Offset of the next message to do; None until it is known.
        end: Offset that the next message written will get; None until it was asked.
        moved: When it last got on, or had nothing waiting.
        start: Offset of the oldest message that there still is.
        next: Offset of the message that is to be delivered next; None until it is known.
    """

    position: int | None
    end: int | None
    moved: float
    start: int = 0
    next: int | None = None

    @property
    def waiting(self) -> int:
        return max(0, (self.end or 0) - self.position) if self.position is not None else 0


class Beat:
    """Whether a loop still turns: it beats at each turn."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with a beat; `clock` gives seconds that only ever grow."""
        self._clock = clock
        self._last = clock()

    def __call__(self) -> None:
        """The loop turns."""
        self._last = self._clock()

    def stalled(self) -> str:
        """Why the process is to be started anew; empty while the loop turns."""
        since = self._clock() - self._last
        return f"The loop has not turned for {since:.0f} s." if since > STUCK_S else ""


class Progress:
    """What one worker does; any thread may tell and ask.

    Attributes:
        counts: Messages `received` from Kafka and `acked`; those `gone` before they were delivered,
            since their topic keeps them no longer.
        conditions: Each says why the worker cannot do its work, or gives an empty string.
        notes: Each gives sentences for the health pages that no restart mends.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without partitions; `clock` gives seconds that only ever grow."""
        self._clock = clock
        self._lock = threading.Lock()
        self._begun: dict[int, float] = {}
        self._places: dict[Partition, _Place] | None = None
        self._leaving = False
        self._begun_work = False
        self.counts: Counter[str] = Counter()
        self.conditions: list[Callable[[], str]] = []
        self.notes: list[Callable[[], list[str]]] = []

    def assign(self, partitions: Iterable[Partition] | None) -> None:
        """Work on these from now on; None while the group is being balanced."""
        now = self._clock()
        with self._lock:
            self._begun_work |= partitions is not None
            self._places = (
                None
                if partitions is None
                else {each: _Place(None, None, now) for each in partitions}
            )

    def leave(self) -> None:
        """From now on nothing is read any more, on purpose."""
        self._leaving = True

    @property
    def begun(self) -> bool:
        """Whether it ever had its partitions: before that nothing can be in work."""
        return self._begun_work

    @property
    def leaving(self) -> bool:
        """Whether it was asked to leave."""
        return self._leaving

    @property
    def partitions(self) -> list[Partition]:
        """Those that are worked on now."""
        with self._lock:
            return list(self._places or ())

    def taken(self, topic: str, partition: int, offset: int, committed: int | None = None) -> None:
        """A message was delivered; `committed` is where the group stood before the first one."""
        with self._lock:
            self.counts["received"] += 1
            place = (self._places or {}).get((topic, partition))
            if place is not None:
                expected = committed if place.next is None else place.next
                self.counts["gone"] += max(0, offset - expected) if expected is not None else 0
                place.next = max(offset + 1, expected or 0)

    def done(self, topic: str, partition: int, offset: int) -> None:
        """A message is done, and every one before it in its partition."""
        with self._lock:
            place = (self._places or {}).get((topic, partition))
            if place is not None and (place.position is None or offset >= place.position):
                place.position, place.moved = offset + 1, self._clock()

    def found(
        self,
        ends: Mapping[Partition, int],
        positions: Mapping[Partition, int] | None = None,
        starts: Mapping[Partition, int] | None = None,
    ) -> None:
        """What the brokers report.

        Args:
            ends: Where partitions end.
            positions: Where those begin that are not begun.
            starts: Their oldest messages. What lay before them waits no more: it is gone, and
                counted where nobody was given it. That is no sign of life: a consumer that has
                died quietly is still found by what is not deleted yet.
        """
        now = self._clock()
        with self._lock:
            for partition, end in ends.items():
                place = (self._places or {}).get(partition)
                if place is None:
                    continue
                if place.position is None:
                    place.position = (positions or {}).get(partition, end)
                if not place.waiting:
                    place.moved = now  # what waits now has waited since now at the earliest
                if place.next is None:
                    place.next = place.position
                place.start = max(place.start, (starts or {}).get(partition, 0))
                self.counts["gone"] += max(0, place.start - place.next)
                place.next = max(place.next, place.start)
                place.position = max(place.position, place.start)
                place.end = end

    def has_taken(self, partition: Partition, offset: int) -> bool:
        """Whether the message at an offset, or a later one, was delivered."""
        with self._lock:
            place = (self._places or {}).get(partition)
            return place is not None and place.next is not None and place.next > offset

    def starts(self) -> dict[Partition, int]:
        """The offset of the oldest message of each partition, as far as is known."""
        with self._lock:
            return {each: place.start for each, place in (self._places or {}).items()}

    def unbegun(self) -> list[Partition]:
        """Partitions of which nobody knows yet where the work begins."""
        with self._lock:
            return [each for each, p in (self._places or {}).items() if p.position is None]

    def begin(self, batch: int) -> None:
        """A batch is in work."""
        with self._lock:
            self._begun[batch] = self._clock()

    def end(self, batch: int) -> None:
        """It came to its end, good or bad."""
        with self._lock:
            self._begun.pop(batch, None)

    @property
    def at_work(self) -> bool:
        """Whether any batch is in work."""
        return bool(self._begun)

    @property
    def lag(self) -> int:
        """Messages that wait in the worker's partitions, as far as is known."""
        with self._lock:
            return sum(place.waiting for place in (self._places or {}).values())

    def stalled(self) -> str:
        """Why the worker is to be started anew; empty while it gets on."""
        now = self._clock()
        with self._lock:
            longest = max((now - since for since in self._begun.values()), default=0.0)
            if longest > BATCH_STUCK_S:
                return f"A batch has been in work for {longest:.0f} s."
            waiting = [place for place in (self._places or {}).values() if place.waiting]
            count = sum(place.waiting for place in waiting)
            moved = [place.moved for place in waiting]
        if self._leaving or not waiting:
            return ""
        since, alone = now - max(moved), now - min(moved)
        if since > STUCK_S:
            return f"{count} messages wait, and none was done for {since:.0f} s."
        if alone > ONE_STUCK_S:
            return f"A partition with messages waiting has not moved for {alone:.0f} s."
        return ""

    def noted(self) -> list[str]:
        """What people should know, in sentences."""
        return [sentence for note in self.notes for sentence in note()]

    def lacks(self) -> str:
        """Why the worker is not ready; empty where it is."""
        with self._lock:
            if self._leaving:
                return "It is leaving its group."
            if self._places is None:
                return "It has no partitions yet."
        return next((why for condition in self.conditions if (why := condition())), "")
