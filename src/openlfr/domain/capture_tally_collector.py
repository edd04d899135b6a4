"""Counts the captured frames of one camera that are never analysed, as periodic tallies.

Both modes use this collector: ingest publishes the tallies, and `openlfr run` records them.

The tallies cover an epoch's frames without a gap: each tally begins where the previous tally ends.
So the number of sent frames in a range, and the reasons for the unsent frames, can be computed.
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

TALLY_SPAN = timedelta(seconds=10)
"""The longest span of capture time in one tally."""
_MAX_UNSENT = 1000  # unsent tallies; 1,000 of 10 s are 2.8 hours

SAMPLED_AWAY, DROPPED_LATE = "sampled_away", "dropped_late"
OUTSIDE_HOURS, PAUSED, UNREADABLE = "outside_hours", "paused", "unreadable"


class _FramePosition(NamedTuple):
    """Epoch, number and capture time of a frame, without its picture."""

    epoch: int
    seq: int
    at: datetime


class _Range(NamedTuple):
    """The first and the last frame captured since the last tally."""

    first: _FramePosition
    last: _FramePosition


class SourceCounts(Protocol):
    """Counts of frames that a source skipped since it was opened."""

    sampled_away: int
    overtaken: int
    unreadable: int


class CaptureTallyCollector:
    """Counts the frames of one camera and sends the counts as tallies.

    Not thread-safe except for `count`.
    """

    def __init__(
        self,
        deployment: str,
        camera: str,
        account: SourceCounts,
        send: Callable[[Tally], bool],
        *,
        live: bool,
    ) -> None:
        """Start with all counts at zero.

        Args:
            deployment: Id of the deployment.
            camera: Name of the camera.
            account: The source's counts. Frames that the source skipped before its first captured
                frame are counted in the first tally.
            send: Sends a tally. Returns False if that failed; the tally is then sent again with the
                next tally.
            live: Whether the source is a live stream. A live stream counts unreadable packets,
                which have no frame number; an unreadable frame of a file has a number.
        """
        self._names = deployment, camera
        self._account = account
        self._send = send
        self._live = live
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()  # the source's counts at the last reading
        self._range: _Range | None = None
        self._epoch: int | None = None  # of the newest frame
        self._next_seq = 0  # first frame number of that epoch's next range
        self._unsent: deque[Tally] = deque(maxlen=_MAX_UNSENT)

    def frame(self, frame: Frame) -> None:
        """Count a captured frame, and the frames that the source skipped before it."""
        position = _FramePosition(frame.epoch, frame.seq, frame.captured_at)
        first = self._range.first if self._range else position
        if self._range and (position.epoch != first.epoch or position.at - first.at >= TALLY_SPAN):
            self._close(self._range)
            first = position
        if position.epoch != self._epoch:
            self._epoch, self._next_seq = position.epoch, 0
        self._range = _Range(first, position)
        self._count_skipped()

    def count(self, what: str) -> None:
        """Count a frame that is not sent, under a reason such as `PAUSED`; thread-safe."""
        with self._lock:
            self._counts[what] += 1

    def close(self) -> None:
        """Send the remaining counts after the connection or the capture has ended.

        Without a captured frame since the last tally, nothing is sent.
        """
        if self._range is not None:
            self._close(self._range, after=self._count_skipped())

    def _count_skipped(self) -> int:
        """Add the source's new skips to the counts; return the number of skipped frame numbers."""
        account = self._account
        now = Counter({
            SAMPLED_AWAY: account.sampled_away,
            DROPPED_LATE: account.overtaken,
            UNREADABLE: account.unreadable,
        })  # fmt: skip
        new, self._skipped = now - self._skipped, now
        with self._lock:
            self._counts += new
        return new.total() - (new[UNREADABLE] if self._live else 0)

    def open_tally(self) -> Tally | None:
        """Return the counts since the last tally; None without a frame since then."""
        if self._range is None:
            return None
        with self._lock:
            return self._tally(*self._range, self._range.last.seq, Counter(self._counts))

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values for `restore`, which continues with a reopened source."""
        with self._lock:
            counts = dict(self._counts)
        positions = [(each.epoch, each.seq, each.at.isoformat()) for each in self._range or ()]
        return {"counts": counts, "range": positions, "epoch": self._epoch, "next": self._next_seq}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Restore the state from the values of `to_json`."""
        self._counts = Counter(values["counts"])
        positions = [
            _FramePosition(epoch, seq, datetime.fromisoformat(at))
            for epoch, seq, at in values["range"]
        ]
        self._range = _Range(*positions) if positions else None
        self._epoch, self._next_seq = values["epoch"], values["next"]

    def _close(self, ended: _Range, *, after: int = 0) -> None:
        first, last = ended
        with self._lock:
            counts, self._counts = self._counts, Counter()
        last_seq = last.seq + after
        self._unsent.append(self._tally(first, last, last_seq, counts))
        self._range, self._next_seq = None, last_seq + 1
        while self._unsent and self._send(self._unsent[0]):
            self._unsent.popleft()

    def _tally(
        self, first: _FramePosition, last: _FramePosition, last_seq: int, counts: Counter[str]
    ) -> Tally:
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
