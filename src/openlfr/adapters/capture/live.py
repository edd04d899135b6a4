"""A network camera or a device: it is connected to again and again, for as long as it is wanted.

`stream.py` reads it, `connection.py` keeps the newest picture; here stands what happens when a
connection ends.
"""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from openlfr.adapters.capture import FROZEN_S
from openlfr.adapters.capture.account import Accounted, Reading
from openlfr.adapters.capture.connection import Connection, LeftOut
from openlfr.adapters.capture.lateness import LATE_S
from openlfr.adapters.capture.pictures import shown_as, to_bgr
from openlfr.adapters.capture.stream import Frozen, LiveStream
from openlfr.domain.errors import Unavailable
from openlfr.domain.frames import Frame, Shown, StartOrigin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openlfr.adapters.capture.connection import Stream

_TIMES = 3  # so much longer a camera may send without a picture: the key frame may be far off
_STEADY_S = 10.0  # a connection that lasted so long was a good one


class Backoff:
    """How long to wait before trying again: twice as long each time, and never together.

    Each pause is drawn from its upper half: cameras that went down together do not come back as
    one.
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
        """Begin with a short pause again: it went well for a while."""
        self._failures = 0


class LiveCamera(Accounted):
    """A camera whose time is the clock's.

    `seq` counts the decoded pictures of an epoch, `captured_at` is when one was received: what the
    camera and the network needed before is not in it. Where they are read too late that is counted.
    """

    live = True
    start_origin = StartOrigin.CLOCK
    frame_count = None
    lasts = None

    def __init__(
        self,
        url: str,
        reading: Reading,
        *,
        reconnect: bool = True,
        next_epoch: Callable[[int], int] | None = None,
        lost: Callable[[Unavailable, bool], None] = lambda *_: None,
        frozen_after_s: float = FROZEN_S,
        stream: Callable[[], Stream] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """See `open_source`; connections are made by `frames()`.

        Args:
            url: Its address.
            reading: How it is read.
            reconnect: Connect again after a failure; else the first one is raised.
            next_epoch: Gives the epoch of each connection, by the number of those before; `seq`
                then begins anew. None: they all are of one epoch, and `seq` goes on.
            lost: Called when a connection has failed and `frames` goes on: why, and whether
                there were pictures before.
            frozen_after_s: How long is waited for an answer or a packet, and thrice that for a
                picture.
            stream: Makes what each connection reads.
            now: The clock.
        """
        super().__init__()
        self._reading = reading
        self._reconnect = reconnect
        self._next_epoch = next_epoch
        self._lost = lost
        self._stream = stream or (
            lambda: LiveStream(reading.camera, url, reading.threads, frozen_after_s)
        )
        self._frozen_after_s = frozen_after_s
        self._now = now
        self._closed = threading.Event()
        self._backoff = Backoff()
        self._fps: float | None = None
        self._shown: Shown | None = None
        self.start = reading.assumed_start
        self._seq = 0  # of the connection's first picture
        self._connection: Connection | None = None

    @property
    def fps(self) -> float | None:
        """The rate that the camera announces; None before it is connected."""
        return self._fps

    @property
    def shown(self) -> Shown | None:
        """What is done to the pictures of this connection; None before the first."""
        return self._shown

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Connect and yield the newest frame each time; `first_seq` is the number of the first.

        Raises:
            Unavailable: The camera does not answer, or its stream ended, and is not to be
                connected to again.
            Misconfigured: It can never be read here.
        """
        self._seq = first_seq
        while not self._closed.is_set():
            begun, connects = monotonic(), self.account.connects
            try:
                yield from self._connected()
            except Unavailable as error:
                if not self._reconnect:
                    raise
                self._note(error)
                connected = self.account.connects > connects
                self._lost(error, connected)
                if connected and monotonic() - begun > _STEADY_S:
                    self._backoff.reset()
            self._closed.wait(self._backoff.pause())

    def close(self) -> None:
        """End the iteration, also while it waits for a frame."""
        self._closed.set()
        connection = self._connection
        if connection is not None:
            connection.close()

    def _connected(self) -> Iterator[Frame]:
        """The frames of one connection."""
        reading, stream = self._reading, self._stream()
        self._connection = connection = Connection(
            reading.camera,
            stream,
            fps=reading.fps,
            frozen_after_s=self._frozen_after_s * _TIMES,
            now=self._now,
        )
        epoch: int | None = None
        if self._closed.is_set():  # since it was looked at last
            connection.close()
        try:
            for received in connection.received():
                self._count(received.left_out)
                self.account.behind_s = received.behind_s
                self.account.late += received.behind_s > LATE_S
                if epoch is None:
                    epoch = self._begin_epoch()
                    self._fps = stream.fps
                    self._shown = shown_as(received.picture, stream.pixel_aspect)
                seq = self._seq + received.number
                image = to_bgr(received.picture, stream.pixel_aspect)
                yield Frame(reading.camera, epoch, seq, received.at, image)
        finally:
            connection.close()
            self._count(connection.left_out())
            self._seq += connection.number

    def _begin_epoch(self) -> int:
        epoch = self._reading.epoch
        if self._next_epoch is not None:
            epoch = self._next_epoch(self.account.connects)
            self._seq = 0
        self.account.connects += 1
        return epoch

    def _count(self, left_out: LeftOut) -> None:
        self.account.sampled_away += left_out.sampled_away
        self.account.overtaken += left_out.overtaken
        if left_out.unreadable:
            camera = self._reading.camera
            self.account.lost(left_out.unreadable, f"camera {camera}: a damaged packet arrived")

    def _note(self, error: Unavailable) -> None:
        self.account.failures += 1
        self.account.frozen += isinstance(error, Frozen)
        self.account.note(str(error))
