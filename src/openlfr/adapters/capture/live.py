"""A network camera or a device, connected again after each failure until it is closed.

`stream.py` reads a connection, `connection.py` keeps its newest picture. This module decides what
happens when a connection ends.
"""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from openlfr.adapters.capture.connection import Connection, SkippedCounts
from openlfr.adapters.capture.counters import SourceWithCounters
from openlfr.adapters.capture.lateness import LATE_S
from openlfr.adapters.capture.options import FROZEN_AFTER_S, SourceOptions
from openlfr.adapters.capture.pictures import shown_as, to_bgr
from openlfr.adapters.capture.stream import CameraFrozen, LiveStream
from openlfr.domain.errors import Unavailable
from openlfr.domain.frames import DisplayTransform, Frame, StartOrigin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openlfr.adapters.capture.connection import Stream

_PICTURE_TIMEOUTS = 3
"""Timeouts that a camera may send packets without a picture: the key frame may be far off."""
_STEADY_S = 10.0  # a connection that lasted so long resets the backoff


class Backoff:
    """Random pauses between attempts, twice as long after each failure.

    Each pause is drawn from its upper half, so that cameras that failed together do not reconnect
    together.
    """

    def __init__(self, first_s: float = 0.5, longest_s: float = 10.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def pause(self) -> float:
        """Seconds to wait after another failure."""
        length = min(self._first_s * 2.0**self._failures, self._longest_s)
        self._failures += length < self._longest_s
        return length * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def reset(self) -> None:
        """Begin with a short pause again, after a connection that lasted."""
        self._failures = 0


class LiveCamera(SourceWithCounters):
    """A camera whose frames are timed by the clock.

    `seq` counts the decoded pictures of an epoch. `captured_at` is the time at which a picture was
    received; delays in the camera and the network come on top. Pictures received late are counted.
    """

    live = True
    start_origin = StartOrigin.CLOCK
    frame_count = None
    duration = None

    def __init__(
        self,
        url: str,
        options: SourceOptions,
        *,
        reconnect: bool = True,
        next_epoch: Callable[[int], int] | None = None,
        on_connection_lost: Callable[[Unavailable, bool], None] = lambda *_: None,
        frozen_after_s: float = FROZEN_AFTER_S,
        stream: Callable[[], Stream] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; `frames()` connects.

        Args:
            url: The camera's address, with its password.
            options: See `open_source`.
            reconnect: Connect again after a failure; False raises the first failure.
            next_epoch: Returns the epoch of a connection, given the number of earlier ones; `seq`
                then restarts at 0. None keeps one epoch, in which `seq` goes on.
            on_connection_lost: Called after a failure, before the next attempt, with the reason
                and whether the connection gave pictures.
            frozen_after_s: Timeout for an answer or a packet; three times that for a picture.
            stream: Creates the stream of each connection.
            now: The clock.
        """
        super().__init__()
        self._options = options
        self._reconnect = reconnect
        self._next_epoch = next_epoch
        self._on_connection_lost = on_connection_lost
        self._stream = stream or (
            lambda: LiveStream(options.camera, url, options.threads, frozen_after_s)
        )
        self._frozen_after_s = frozen_after_s
        self._now = now
        self._closed = threading.Event()
        self._backoff = Backoff()
        self._fps: float | None = None
        self._shown: DisplayTransform | None = None
        self.start = options.assumed_start
        self._first_seq = 0  # of the connection
        self._connection: Connection | None = None

    @property
    def fps(self) -> float | None:
        """Frame rate that the camera announces; None before it is connected."""
        return self._fps

    @property
    def shown(self) -> DisplayTransform | None:
        """How the pictures of this connection are transformed; None before the first picture."""
        return self._shown

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Connect, and yield the newest frame each time, numbered from `first_seq` on.

        Raises:
            Unavailable: The camera does not answer, or its stream ended, and `reconnect` is False.
            Misconfigured: The address can never be read on this machine.
        """
        self._first_seq = first_seq
        while not self._closed.is_set():
            begun, connects = monotonic(), self.counters.connects
            try:
                yield from self._read_connection()
            except Unavailable as error:
                if not self._reconnect:
                    raise
                self._count_failure(error)
                connected = self.counters.connects > connects
                self._on_connection_lost(error, connected)
                if connected and monotonic() - begun > _STEADY_S:
                    self._backoff.reset()
            self._closed.wait(self._backoff.pause())

    def close(self) -> None:
        """End the iteration, even while it waits for a frame."""
        self._closed.set()
        connection = self._connection
        if connection is not None:
            connection.close()

    def _read_connection(self) -> Iterator[Frame]:
        """Connect once, and yield frames until the connection ends."""
        options, stream = self._options, self._stream()
        self._connection = connection = Connection(
            options.camera,
            stream,
            fps=options.fps,
            frozen_after_s=self._frozen_after_s * _PICTURE_TIMEOUTS,
            now=self._now,
        )
        epoch: int | None = None
        if self._closed.is_set():  # `close` may have run before the connection was assigned
            connection.close()
        try:
            for received in connection.newest_pictures():
                self._count_skipped(received.skipped)
                self.counters.behind_s = received.behind_s
                self.counters.late += received.behind_s > LATE_S
                if epoch is None:
                    epoch = self._begin_epoch()
                    self._fps = stream.fps
                    self._shown = shown_as(received.picture, stream.pixel_aspect)
                seq = self._first_seq + received.number
                image = to_bgr(received.picture, stream.pixel_aspect)
                yield Frame(options.camera, epoch, seq, received.at, image)
        finally:
            connection.close()
            self._count_skipped(connection.skipped())
            self._first_seq += connection.number

    def _begin_epoch(self) -> int:
        epoch = self._options.epoch
        if self._next_epoch is not None:
            epoch = self._next_epoch(self.counters.connects)
            self._first_seq = 0
        self.counters.connects += 1
        return epoch

    def _count_skipped(self, skipped: SkippedCounts) -> None:
        self.counters.sampled_away += skipped.sampled_away
        self.counters.overtaken += skipped.overtaken
        if skipped.unreadable:
            reason = f"camera {self._options.camera}: a damaged packet arrived"
            self.counters.count_unreadable(skipped.unreadable, reason)

    def _count_failure(self, error: Unavailable) -> None:
        self.counters.failures += 1
        self.counters.frozen += isinstance(error, CameraFrozen)
        self.counters.add_problem(str(error))
