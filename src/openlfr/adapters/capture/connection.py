"""One connection to a live camera: a thread reads the stream and buffers the newest picture.

The camera does not wait for its reader. So the thread reads every picture from the network's
buffers as soon as it arrives. A picture that is not fetched before the next picture arrives is
overtaken: it is skipped and counted.
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

from openlfr.adapters.capture.lateness import Lateness
from openlfr.adapters.capture.sampling import ClockSampling
from openlfr.adapters.capture.stream import CameraFrozen
from openlfr.domain.addresses import redact_address_in
from openlfr.domain.errors import OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from fractions import Fraction

    from av import VideoFrame


_UNREADABLE = (av.FFmpegError, OSError, ValueError, EOFError, RuntimeError)
"""Exceptions of PyAV for a damaged or interrupted stream; other exceptions are our bugs."""


class Stream(Protocol):
    """The stream that a connection reads; `stream.LiveStream` is the real implementation."""

    fps: float | None
    pixel_aspect: Fraction

    def packets(self, closed: threading.Event) -> Generator[list[VideoFrame] | None]:
        """Yield the pictures of each packet, None for a damaged packet."""
        ...


@dataclass(frozen=True, slots=True)
class SkippedCounts:
    """Number of pictures skipped, by reason."""

    sampled_away: int = 0
    overtaken: int = 0
    unreadable: int = 0

    def __add__(self, other: SkippedCounts) -> SkippedCounts:
        return SkippedCounts(
            self.sampled_away + other.sampled_away,
            self.overtaken + other.overtaken,
            self.unreadable + other.unreadable,
        )


@dataclass(frozen=True, slots=True)
class ReceivedPicture:
    """A picture with the time of its arrival.

    Attributes:
        number: Number of the picture within its connection, from 0.
        at: Time of arrival, by the clock.
        skipped: Counts of pictures skipped between the previously fetched picture and this one.
        behind_s: Delay of the picture when it was read, seconds; see `lateness.py`.
    """

    number: int
    at: datetime
    picture: VideoFrame
    skipped: SkippedCounts
    behind_s: float = 0.0


class Connection:
    """Reads a stream in a thread, until the stream ends or the connection is closed.

    Attributes:
        number: Number of pictures received so far, skipped ones included.
    """

    def __init__(
        self,
        camera: str,
        stream: Stream,
        *,
        fps: float | None = None,
        frozen_after_s: float = math.inf,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Start the thread, which connects.

        Args:
            camera: Name of the camera.
            stream: Stream to read.
            fps: Pictures per second to yield, by the clock; None for every picture.
            frozen_after_s: Time without a picture after which a camera counts as frozen.
            now: Returns the current time.
        """
        self._camera = camera
        self._stream = stream
        self._sampling = ClockSampling(fps)
        self._lateness = Lateness()
        self._frozen_after_s = frozen_after_s
        self._last_picture_at = monotonic()  # before the first picture: start of the connection
        self._now = now
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._waiting: ReceivedPicture | None = None
        self._skipped = SkippedCounts()  # since the waiting or the last fetched picture
        self._end: Exception | None = None
        self.number = 0
        thread = threading.Thread(target=self._run, name=f"read-{camera}", daemon=True)
        thread.start()

    def newest_pictures(self) -> Iterator[ReceivedPicture]:
        """Yield the newest picture as soon as one has arrived that was not yielded yet.

        Raises:
            CameraFrozen: The camera has sent no picture for `frozen_after_s`.
            Unavailable: The camera does not answer, or its stream ended.
            Misconfigured: The address can never be read on this machine.
        """
        while True:
            with self._changed:
                while not (self._closed.is_set() or self._waiting or self._end):
                    left = self._last_picture_at + self._frozen_after_s - monotonic()
                    if left <= 0:
                        raise CameraFrozen(
                            f"camera {self._camera}: no picture for {self._frozen_after_s:g} s"
                        )
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                picture, self._waiting = self._waiting, None
            if self._closed.is_set():
                return
            if picture is not None:
                yield picture
            elif self._end is not None:
                raise self._end

    def skipped_counts(self) -> SkippedCounts:
        """Return the counts of pictures skipped since the last fetched picture."""
        with self._changed:
            waiting = self._waiting
            return self._skipped if waiting is None else waiting.skipped + self._skipped

    def close(self) -> None:
        """End the connection: `newest_pictures` ends at once, the thread at its next packet."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()

    def _run(self) -> None:
        """Read until the stream ends, and store the reason of its end; runs in the thread."""
        end: Exception = Unavailable(f"camera {self._camera}: its stream ended")
        try:
            self._read_pictures()
        except OpenLFRError as error:
            end = error
        except _UNREADABLE as error:
            address = getattr(self._stream, "url", "")
            why = redact_address_in(f"{type(error).__name__}: {error}", address)
            end = Unavailable(f"camera {self._camera} cannot be read: {why}")
        except Exception as error:  # noqa: BLE001 - end of the thread; `newest_pictures` raises it
            end = error
        with self._changed:
            self._end = end
            self._changed.notify_all()

    def _read_pictures(self) -> None:
        with closing(self._stream.packets(self._closed)) as packets:
            for pictures in packets:
                at, clock = self._now(), monotonic()
                if self._closed.is_set():
                    return
                with self._changed:
                    if pictures is None:
                        self._skipped += SkippedCounts(unreadable=1)
                        continue
                    if pictures:
                        self._last_picture_at = clock
                    for picture in pictures:
                        behind_s = self._lateness.measure(picture.time, clock)
                        if self._sampling.should_analyse(clock):
                            self._put(at, picture, behind_s)
                        else:
                            self._skipped += SkippedCounts(sampled_away=1)
                        self.number += 1

    def _put(self, at: datetime, picture: VideoFrame, behind_s: float) -> None:
        skipped = self._skipped
        if self._waiting is not None:
            skipped += self._waiting.skipped + SkippedCounts(overtaken=1)
        self._waiting = ReceivedPicture(self.number, at, picture, skipped, behind_s)
        self._skipped = SkippedCounts()
        self._changed.notify_all()
