"""One connection to a live camera: a thread reads it, and who looks finds the newest picture.

The camera does not wait for its reader. So the thread takes every picture out of the network's
buffers as it comes, and one that is not looked at before the next is overtaken, and counted.
"""

from __future__ import annotations

import math
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import av

from openlfr.adapters.capture.account import ClockSampling
from openlfr.adapters.capture.lateness import Lateness
from openlfr.adapters.capture.stream import Frozen
from openlfr.domain.addresses import hide_address
from openlfr.domain.errors import OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from fractions import Fraction

    from av import VideoFrame


_UNREADABLE = (av.FFmpegError, OSError, ValueError, EOFError, RuntimeError)
"""What PyAV raises on a damaged stream and where it is interrupted; the rest are faults of ours."""


class Stream(Protocol):
    """What a connection reads; `stream.LiveStream` is the real one."""

    fps: float | None
    pixel_aspect: Fraction

    def packets(self, closed: threading.Event) -> Generator[list[VideoFrame] | None]:
        """The pictures of each packet, None for a damaged one."""
        ...


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Pictures that were not looked at, by the reason."""

    sampled_away: int = 0
    overtaken: int = 0
    unreadable: int = 0

    def __add__(self, other: LeftOut) -> LeftOut:
        return LeftOut(
            self.sampled_away + other.sampled_away,
            self.overtaken + other.overtaken,
            self.unreadable + other.unreadable,
        )


@dataclass(frozen=True, slots=True)
class Received:
    """A picture as it came.

    Attributes:
        number: Of the picture within its connection, from 0.
        at: When it came, by the clock.
        left_out: Between the picture taken before and this one.
        behind_s: How late it was read, as far as it tells; see `lateness.py`.
    """

    number: int
    at: datetime
    picture: VideoFrame
    left_out: LeftOut
    behind_s: float = 0.0


class Connection:
    """A connection while it lasts."""

    def __init__(
        self,
        camera: str,
        stream: Stream,
        *,
        fps: float | None = None,
        frozen_after_s: float = math.inf,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Connect, in a thread.

        Args:
            camera: Its name.
            stream: What to read.
            fps: Pictures a second to take, by the clock; None for every one.
            frozen_after_s: How long a camera may go on that sends, and no picture among it.
            now: The clock.
        """
        self._camera = camera
        self._stream = stream
        self._sampling = ClockSampling(fps)
        self._lateness = Lateness()
        self._frozen_after_s = frozen_after_s
        self._heard = monotonic()  # when a picture came, or this began
        self._now = now
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._waiting: Received | None = None
        self._left_out = LeftOut()  # after the waiting one, or after the one taken last
        self._over: Exception | None = None
        self.number = 0  # of pictures so far, those left out as well
        thread = threading.Thread(target=self._drain, name=f"read-{camera}", daemon=True)
        thread.start()

    def received(self) -> Iterator[Received]:
        """Yield the newest picture, each time that there is one not taken yet.

        Raises:
            Frozen: It has sent no picture for too long.
            Unavailable: The camera does not answer, or its stream ended.
            Misconfigured: It can never be read here.
        """
        while True:
            with self._changed:
                while not (self._closed.is_set() or self._waiting or self._over):
                    left = self._heard + self._frozen_after_s - monotonic()
                    if left <= 0:
                        raise Frozen(
                            f"camera {self._camera}: no picture for {self._frozen_after_s:g} s"
                        )
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                found, self._waiting = self._waiting, None
            if self._closed.is_set():
                return
            if found is not None:
                yield found
            elif self._over is not None:
                raise self._over

    def left_out(self) -> LeftOut:
        """What was left out after the picture taken last."""
        with self._changed:
            waiting = self._waiting
            return self._left_out if waiting is None else waiting.left_out + self._left_out

    def close(self) -> None:
        """End it: who waits for a picture goes on at once, the thread with its next packet."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()

    def _drain(self) -> None:
        """The thread's work: read until it is over, and say why."""
        over: Exception = Unavailable(f"camera {self._camera}: its stream ended")
        try:
            self._take_pictures()
        except OpenLFRError as error:
            over = error
        except _UNREADABLE as error:
            address = getattr(self._stream, "url", "")
            why = hide_address(f"{type(error).__name__}: {error}", address)
            over = Unavailable(f"camera {self._camera} cannot be read: {why}")
        except Exception as error:  # noqa: BLE001 - a thread's edge: raised where it is waited for
            over = error
        with self._changed:
            self._over = over
            self._changed.notify_all()

    def _take_pictures(self) -> None:
        with closing(self._stream.packets(self._closed)) as packets:
            for pictures in packets:
                at, clock = self._now(), monotonic()
                if self._closed.is_set():
                    return
                with self._changed:
                    if pictures is None:
                        self._left_out += LeftOut(unreadable=1)
                        continue
                    if pictures:
                        self._heard = clock
                    for picture in pictures:
                        behind_s = self._lateness.of(picture.time, clock)
                        if self._sampling.takes(clock):
                            self._put(at, picture, behind_s)
                        else:
                            self._left_out += LeftOut(sampled_away=1)
                        self.number += 1

    def _put(self, at: datetime, picture: VideoFrame, behind_s: float) -> None:
        left_out = self._left_out
        if self._waiting is not None:
            left_out += self._waiting.left_out + LeftOut(overtaken=1)
        self._waiting = Received(self.number, at, picture, left_out, behind_s)
        self._left_out = LeftOut()
        self._changed.notify_all()
