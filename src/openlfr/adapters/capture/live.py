"""A network camera or a device, reconnected after each failure until it is closed.

`stream.py` reads a connection, and `connection.py` buffers its newest picture. This module
reconnects when a connection ends.
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
from openlfr.adapters.capture.pictures import read_display_transform, to_bgr
from openlfr.adapters.capture.stream import CameraFrozen, LiveStream
from openlfr.domain.errors import Unavailable
from openlfr.domain.frames import DisplayTransform, Frame, StartOrigin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openlfr.adapters.capture.connection import Stream

_PICTURE_TIMEOUTS = 3
"""The timeout for a picture is this many times the timeout for a packet: the next key frame may be
seconds away."""
_STEADY_S = 10.0  # a connection that lasted longer resets the backoff


class Backoff:
    """Random pauses between attempts; the maximum doubles with each failure.

    A pause is between half its maximum and its maximum, so that cameras that failed together do
    not reconnect together.
    """

    def __init__(self, first_s: float = 0.5, longest_s: float = 10.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def next_pause_s(self) -> float:
        """Return the seconds to wait after another failure."""
        max_s = min(self._first_s * 2.0**self._failures, self._longest_s)
        self._failures += max_s < self._longest_s
        return max_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def reset(self) -> None:
        """Restart with the shortest pause; called after a connection that lasted."""
        self._failures = 0


class LiveCamera(SourceWithCounters):
    """A camera whose frames are timed by the clock.

    `seq` counts the decoded pictures of an epoch. `captured_at` is the time at which a picture was
    received; it does not account for delays in the camera and the network. Pictures that are
    received late are yielded and counted.
    """

    is_live = True
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
        """Prepare the camera; `frames()` connects.

        Args:
            url: The camera's address, with its password.
            options: Options of the source; `open_source` explains each.
            reconnect: Reconnect after a failure; False raises the first failure.
            next_epoch: Returns the epoch of a connection, given the number of earlier connections;
                `seq` then restarts at 0. If None, all connections share one epoch, in which `seq`
                continues.
            on_connection_lost: Called after a failure, before the next attempt, with the reason
                and whether the connection sent pictures.
            frozen_after_s: Timeout for an answer or a packet. The timeout for a picture is three
                times as long.
            stream: Creates the stream of each connection.
            now: Returns the current time.
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
        self._display_transform: DisplayTransform | None = None
        self.start = options.assumed_start
        self._first_seq = 0  # of the connection
        self._connection: Connection | None = None

    @property
    def fps(self) -> float | None:
        """Frame rate that the camera declares; None before the first connection."""
        return self._fps

    @property
    def display_transform(self) -> DisplayTransform | None:
        """Transformation of this connection's pictures; None before the first picture."""
        return self._display_transform

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Connect, and yield the newest frame at each request; `seq` starts at `first_seq`.

        Raises:
            Unavailable: The camera does not answer, or its stream ended, and `reconnect` is False.
            Misconfigured: The address can never be read on this machine.
        """
        self._first_seq = first_seq
        while not self._closed.is_set():
            started_at, connects = monotonic(), self.counters.connects
            try:
                yield from self._read_connection()
            except Unavailable as error:
                if not self._reconnect:
                    raise
                self._count_failure(error)
                was_connected = self.counters.connects > connects
                self._on_connection_lost(error, was_connected)
                if was_connected and monotonic() - started_at > _STEADY_S:
                    self._backoff.reset()
            self._closed.wait(self._backoff.next_pause_s())

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
                    self._display_transform = read_display_transform(
                        received.picture, stream.pixel_aspect
                    )
                seq = self._first_seq + received.number
                image = to_bgr(received.picture, stream.pixel_aspect)
                yield Frame(options.camera, epoch, seq, received.at, image)
        finally:
            connection.close()
            self._count_skipped(connection.skipped_counts())
            self._first_seq += connection.number

    def _begin_epoch(self) -> int:
        """Count the connection, and return its epoch."""
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
