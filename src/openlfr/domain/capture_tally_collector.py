"""Counts one camera's frames that are never looked at, and gives that out now and then.

Both modes count with this: ingest publishes the tallies, one process records them.

Tallies cover an epoch's frames without a gap: where one ends the next begins, so whoever reads
them knows how many frames of a range were sent, and why the others were not.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from openlfr.domain.tallies import Reporter, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openlfr.domain.frames import Frame

EVERY = timedelta(seconds=10)
"""Of capture: how much a tally covers."""
_KEPT = 1000  # tallies that could not be told yet: hours

SAMPLED_AWAY, DROPPED_LATE = "sampled_away", "dropped_late"
OUTSIDE_HOURS, PAUSED, UNREADABLE = "outside_hours", "paused", "unreadable"


class _Mark(NamedTuple):
    """Where a frame stood; the frame itself is not kept."""

    epoch: int
    seq: int
    at: datetime


class _Range(NamedTuple):
    """The frames that came since the last tally."""

    first: _Mark
    last: _Mark


class LeftOut(Protocol):
    """What a source did not yield, counted from its beginning."""

    sampled_away: int
    overtaken: int
    unreadable: int


class CaptureTallyCollector:
    """The tallies of one camera while it is filmed. One thread's, but for `count`."""

    def __init__(
        self,
        deployment: str,
        camera: str,
        account: LeftOut,
        tell: Callable[[Tally], bool],
        *,
        live: bool,
    ) -> None:
        """Count nothing yet.

        Args:
            deployment: Its name.
            camera: Its name.
            account: Of the source, counted on from where it stands.
            tell: Sends a tally; False where it cannot now, and it is tried again with the next.
            live: Whether unreadable things are packets, which have no number.
        """
        self._names = deployment, camera
        self._account = account
        self._tell = tell
        self._live = live
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()  # by the source, as far as counted
        self._range: _Range | None = None
        self._epoch: int | None = None  # of the newest frame
        self._next_seq = 0  # where a range of that epoch begins
        self._untold: deque[Tally] = deque(maxlen=_KEPT)

    def frame(self, frame: Frame) -> None:
        """A frame came from the source, with what this left out before it."""
        mark = _Mark(frame.epoch, frame.seq, frame.captured_at)
        first = self._range.first if self._range else mark
        if self._range and (mark.epoch != first.epoch or mark.at - first.at >= EVERY):
            self._close(self._range)
            first = mark
        if mark.epoch != self._epoch:
            self._epoch, self._next_seq = mark.epoch, 0
        self._range = _Range(first, mark)
        self._count_left_out()

    def count(self, what: str) -> None:
        """Count a frame that is not sent; any thread may."""
        with self._lock:
            self._counts[what] += 1

    def close(self) -> None:
        """Tell the rest: the connection or the filming is over."""
        if self._range is not None:
            self._close(self._range, after=self._count_left_out())

    def _count_left_out(self) -> int:
        """Count what the source left out since the last time; how many numbers that took."""
        account = self._account
        now = Counter({
            SAMPLED_AWAY: account.sampled_away,
            DROPPED_LATE: account.overtaken,
            UNREADABLE: account.unreadable,
        })  # fmt: skip
        more, self._left_out = now - self._left_out, now
        with self._lock:
            self._counts += more
        return more.total() - (more[UNREADABLE] if self._live else 0)

    def open_tally(self) -> Tally | None:
        """What was counted since the last tally, as far as it goes."""
        if self._range is None:
            return None
        with self._lock:
            return self._tally(*self._range, self._range.last.seq, Counter(self._counts))

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `restore` counts on with a source opened anew."""
        with self._lock:
            counts = dict(self._counts)
        marks = [(mark.epoch, mark.seq, mark.at.isoformat()) for mark in self._range or ()]
        return {"counts": counts, "range": marks, "epoch": self._epoch, "next": self._next_seq}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Count on from what `to_json` gave."""
        self._counts = Counter(values["counts"])
        marks = [
            _Mark(epoch, seq, datetime.fromisoformat(at)) for epoch, seq, at in values["range"]
        ]
        self._range = _Range(*marks) if marks else None
        self._epoch, self._next_seq = values["epoch"], values["next"]

    def _close(self, ended: _Range, *, after: int = 0) -> None:
        first, last = ended
        with self._lock:
            counts, self._counts = self._counts, Counter()
        last_seq = last.seq + after
        self._untold.append(self._tally(first, last, last_seq, counts))
        self._range, self._next_seq = None, last_seq + 1
        while self._untold and self._tell(self._untold[0]):
            self._untold.popleft()

    def _tally(self, first: _Mark, last: _Mark, last_seq: int, counts: Counter[str]) -> Tally:
        return Tally(
            *self._names,
            last.epoch,
            Reporter.INGEST,
            min(self._next_seq, first.seq),
            last_seq,
            first.at,
            last.at,
            frames_sampled_away=counts[SAMPLED_AWAY],
            frames_dropped_late=counts[DROPPED_LATE],
            frames_outside_hours=counts[OUTSIDE_HOURS],
            frames_paused=counts[PAUSED],
            frames_unreadable=counts[UNREADABLE],
        )
