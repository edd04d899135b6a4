"""Feeds: each camera decodes in a thread of its own and hands over frames at its own pace.

A file plays as it was filmed, so that a run behaves as it would on a live camera; frames that
wait longer than `max_age` are dropped by the receiver and counted. As fast as possible, a feed
waits for the receiver instead and nothing is dropped; frames of several files then come in the
order in which they were captured, so that a run gives the same alerts whenever it is repeated.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.addresses import hide_addresses
from openlfr.domain.errors import OpenLFRError
from openlfr.domain.moments import microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.adapters.capture import Source
    from openlfr.domain.frames import Frame

log = structlog.get_logger()

_PATIENCE_S = 0.2  # how often a waiting thread looks whether it should stop


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A frame that was decoded.

    Attributes:
        due: `time.monotonic()` at which it was to be looked at; its age counts from there.
        sampled_away: Frames of the source left out on purpose between the one before and it.
        unreadable: Frames that could not be decoded between the one before and it.
        overtaken: Frames of a live camera between the one before and it that a newer one overtook.
    """

    frame: Frame
    due: float
    sampled_away: int
    unreadable: int
    overtaken: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """A camera gives no more frames.

    Attributes:
        problem: Why, as a sentence; empty where its source simply ended.
        sampled_away, unreadable, overtaken: As of an arrival, after the last one.
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
            paced: Hand over frames when they are due; else as fast as they are taken.
            stop: Set by anyone to end all feeds.
            room: How many decoded frames of a camera may wait.
        """
        self._paced = paced
        self._stop = stop
        self._room = room
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Arrival | Ended]] = {}
        self._live: set[str] = set()
        self._sources: dict[str, Source] = {}
        self._threads: dict[str, threading.Thread] = {}

    def start(self, camera: str, source: Source, *, first_seq: int = 0) -> None:
        """Begin to decode a camera from `first_seq` on."""
        thread = threading.Thread(
            target=self._feed, args=(camera, source, first_seq), name=f"feed-{camera}", daemon=True
        )
        self._threads[camera] = thread
        self._sources[camera] = source
        with self._changed:
            self._waiting[camera] = deque()
            if source.live:
                self._live.add(camera)
        thread.start()

    def arrivals(self) -> Iterator[Arrival | Ended | None]:
        """What comes in, until every camera has ended; None now and then while nothing does."""
        while self._waiting:
            arrival = None
            with self._changed:
                camera = self._whose_turn()
                if camera is None:
                    if not self._changed.wait(_PATIENCE_S):
                        self._notice_the_dead()
                else:
                    arrival = self._waiting[camera].popleft()
                    if isinstance(arrival, Ended):
                        del self._waiting[camera]
                    self._changed.notify_all()
            if arrival is not None or camera is None:
                yield arrival

    def _notice_the_dead(self) -> None:
        """End the camera of a thread that ended without a word, rather than wait for ever."""
        for camera, waiting in self._waiting.items():
            if not waiting and not self._threads[camera].is_alive():
                waiting.append(Ended(camera, f"Camera {camera} failed without saying why.", 0, 0))

    def _whose_turn(self) -> str | None:
        """The camera whose first waiting frame comes next; None while that is not known."""
        first = {camera: waiting[0] for camera, waiting in self._waiting.items() if waiting}
        if not self._paced and self._waiting.keys() - first.keys() - self._live:
            return None  # the missing one may be the earliest
        return min(first, key=lambda camera: self._order(first[camera]), default=None)

    def _order(self, arrival: Arrival | Ended) -> float:
        """Seconds where it is paced, else whole microseconds, which are exact."""
        if isinstance(arrival, Ended):
            return float("-inf")
        return arrival.due if self._paced else microseconds(arrival.frame.captured_at)

    def close(self) -> None:
        """Stop the threads and wait for them; one that waits for a live camera wakes."""
        self._stop.set()
        for source in self._sources.values():
            source.close()
        for thread in self._threads.values():
            thread.join()
        self._waiting.clear()

    def _feed(self, camera: str, source: Source, first_seq: int) -> None:
        problem = ""
        left_out = _LeftOut(source)
        try:
            self._decode(camera, source, first_seq, left_out)
        except OpenLFRError as error:
            problem = str(error)
        except Exception as error:
            log.exception("camera_failed", camera=camera)
            problem = hide_addresses(f"Camera {camera} failed: {type(error).__name__}: {error}")
        finally:
            source.close()
            self._hand_over(camera, Ended(camera, problem, *left_out.since()))

    def _decode(self, camera: str, source: Source, first_seq: int, left_out: _LeftOut) -> None:
        begun: float | None = None  # when the first frame's moment 0 was
        for frame in source.frames(first_seq=first_seq):
            due = time.monotonic()
            if self._paced and not source.live:
                at = (frame.captured_at - source.start).total_seconds()
                begun = due - at if begun is None else begun
                due = begun + at
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
            if not self._hand_over(camera, Arrival(frame, due, *left_out.since())):
                return

    def _hand_over(self, camera: str, arrival: Arrival | Ended) -> bool:
        """Wait for room; False if the run stops first.

        A live camera's newest frame waits here alone: older ones are overtaken in the source.
        """
        room = 1 if camera in self._live else self._room
        with self._changed:
            while not self._stop.is_set():
                if len(self._waiting[camera]) < room:
                    self._waiting[camera].append(arrival)
                    self._changed.notify_all()
                    return True
                self._changed.wait(_PATIENCE_S)
        return False


class _LeftOut:
    """Frames that a source did not yield, counted from one frame to the next."""

    def __init__(self, source: Source) -> None:
        self._counters = source.counters
        self._counted = self._now()

    def since(self) -> tuple[int, int, int]:
        """How many were sampled away, unreadable and overtaken since the last time."""
        before = self._counted
        sampled_away, unreadable, overtaken = self._counted = self._now()
        return sampled_away - before[0], unreadable - before[1], overtaken - before[2]

    def _now(self) -> tuple[int, int, int]:
        counters = self._counters
        return counters.sampled_away, counters.unreadable, counters.overtaken
