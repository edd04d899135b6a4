"""Feeds: each camera is decoded in its own thread and yields frames at its own pace.

A file is read at its recorded speed, so that a run behaves as with a live camera. The receiver
drops and counts frames that wait longer than `max_age`. With `--as-fast-as-possible` a feed waits
for the receiver instead, and no frame is dropped. Frames of several files then arrive in the order
of their capture times, so that a repeated run raises the same alerts.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.addresses import redact_addresses
from openlfr.domain.errors import OpenLFRError
from openlfr.domain.moments import microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.adapters.capture import Source
    from openlfr.domain.frames import Frame

log = structlog.get_logger()

_POLL_S = 0.2  # how often a waiting thread checks whether it should stop


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A decoded frame, and the number of frames lost between the previous frame and this one.

    Attributes:
        frame: The frame.
        due_at_s: Value of `time.monotonic()` at which the frame should be analysed; the age of
            the frame counts from this moment.
        sampled_away: Number of frames skipped by sampling.
        unreadable: Number of frames that could not be decoded.
        overtaken: Number of frames of a live camera that a newer frame replaced.
    """

    frame: Frame
    due_at_s: float
    sampled_away: int
    unreadable: int
    overtaken: int = 0


@dataclass(frozen=True, slots=True)
class CameraEnd:
    """The end of a camera's frames.

    Attributes:
        camera: Name of the camera.
        problem: The reason as a sentence; empty if the source ended normally.
        sampled_away, unreadable, overtaken: As in `Arrival`, after the last frame.
    """

    camera: str
    problem: str
    sampled_away: int
    unreadable: int
    overtaken: int = 0


class Feeds:
    """All cameras of a run."""

    def __init__(self, *, paced: bool, stop: threading.Event, room: int = 4) -> None:
        """Prepare; no thread runs before `start`.

        Args:
            paced: Whether frames are yielded when they are due, instead of as fast as possible.
            stop: Event that ends all feeds.
            room: Maximum number of decoded frames that wait, for each camera.
        """
        self._paced = paced
        self._stop = stop
        self._room = room
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Arrival | CameraEnd]] = {}
        self._live: set[str] = set()
        self._sources: dict[str, Source] = {}
        self._threads: dict[str, threading.Thread] = {}

    def start(self, camera: str, source: Source, *, first_seq: int = 0) -> None:
        """Start the thread that decodes a camera, from frame `first_seq` on."""
        thread = threading.Thread(
            target=self._feed, args=(camera, source, first_seq), name=f"feed-{camera}", daemon=True
        )
        self._threads[camera] = thread
        self._sources[camera] = source
        with self._changed:
            self._waiting[camera] = deque()
            if source.is_live:
                self._live.add(camera)
        thread.start()

    def arrivals(self) -> Iterator[Arrival | CameraEnd | None]:
        """Yield arrivals until every camera has ended; None from time to time while idle."""
        while self._waiting:
            arrival = None
            with self._changed:
                camera = self._next_camera()
                if camera is None:
                    if not self._changed.wait(_POLL_S):
                        self._end_dead_threads()
                else:
                    arrival = self._waiting[camera].popleft()
                    if isinstance(arrival, CameraEnd):
                        del self._waiting[camera]
                    self._changed.notify_all()
            if arrival is not None or camera is None:
                yield arrival

    def _end_dead_threads(self) -> None:
        """End cameras whose thread died without a `CameraEnd`, instead of waiting for ever."""
        for camera, waiting in self._waiting.items():
            if not waiting and not self._threads[camera].is_alive():
                problem = f"Camera {camera} failed without an error message."
                waiting.append(CameraEnd(camera, problem, 0, 0))

    def _next_camera(self) -> str | None:
        """Return the camera with the next frame.

        Return None if no frame waits, or if a camera without a waiting frame may have an earlier
        frame.
        """
        first = {camera: waiting[0] for camera, waiting in self._waiting.items() if waiting}
        if not self._paced and self._waiting.keys() - first.keys() - self._live:
            return None  # the next frame of the missing camera may be the earliest
        return min(first, key=lambda camera: self._order(first[camera]), default=None)

    def _order(self, arrival: Arrival | CameraEnd) -> float:
        """Return the sort key of a frame; the end of a camera sorts before all frames.

        The key is `due_at_s` if paced, else the capture time in whole microseconds, which are
        exact.
        """
        if isinstance(arrival, CameraEnd):
            return float("-inf")
        return arrival.due_at_s if self._paced else microseconds(arrival.frame.captured_at)

    def close(self) -> None:
        """Stop all threads and wait for them; closing a source wakes a thread that reads it."""
        self._stop.set()
        for source in self._sources.values():
            source.close()
        for thread in self._threads.values():
            thread.join()
        self._waiting.clear()

    def _feed(self, camera: str, source: Source, first_seq: int) -> None:
        problem = ""
        losses = _LossCounter(source)
        try:
            self._decode(camera, source, first_seq, losses)
        except OpenLFRError as error:
            problem = str(error)
        except Exception as error:
            log.exception("camera_failed", camera=camera)
            problem = redact_addresses(f"Camera {camera} failed: {type(error).__name__}: {error}")
        finally:
            source.close()
            self._hand_over(camera, CameraEnd(camera, problem, *losses.since_last_call()))

    def _decode(self, camera: str, source: Source, first_seq: int, losses: _LossCounter) -> None:
        started_at_s: float | None = None  # monotonic time of the source's start
        for frame in source.frames(first_seq=first_seq):
            due_at_s = time.monotonic()
            if self._paced and not source.is_live:
                offset_s = (frame.captured_at - source.start).total_seconds()
                started_at_s = due_at_s - offset_s if started_at_s is None else started_at_s
                due_at_s = started_at_s + offset_s
                if self._stop.wait(max(0.0, due_at_s - time.monotonic())):
                    return
            if not self._hand_over(camera, Arrival(frame, due_at_s, *losses.since_last_call())):
                return

    def _hand_over(self, camera: str, arrival: Arrival | CameraEnd) -> bool:
        """Queue an arrival as soon as there is room; return False if the run stops first.

        At most one frame of a live camera waits here. Until this frame is taken, the source retains
        only its newest frame.
        """
        room = 1 if camera in self._live else self._room
        with self._changed:
            while not self._stop.is_set():
                if len(self._waiting[camera]) < room:
                    self._waiting[camera].append(arrival)
                    self._changed.notify_all()
                    return True
                self._changed.wait(_POLL_S)
        return False


class _LossCounter:
    """Counts the frames that a source did not yield, from one frame to the next."""

    def __init__(self, source: Source) -> None:
        self._counters = source.counters
        self._last_counts = self._read_counts()

    def since_last_call(self) -> tuple[int, int, int]:
        """Count frames sampled away, unreadable and overtaken since the last call."""
        before = self._last_counts
        sampled_away, unreadable, overtaken = self._last_counts = self._read_counts()
        return sampled_away - before[0], unreadable - before[1], overtaken - before[2]

    def _read_counts(self) -> tuple[int, int, int]:
        counters = self._counters
        return counters.sampled_away, counters.unreadable, counters.overtaken
