"""Feeds: each camera decodes in a thread of its own and hands over frames at its own pace.

A file plays as it was filmed, so that a run behaves as it would on a live camera; frames that
wait longer than `max_age` are dropped by the receiver and counted. As fast as possible, a feed
waits for the receiver instead and nothing is dropped.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.errors import OpenLFRError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.domain.frames import Frame
    from openlfr.ports import CameraSource

_PATIENCE_S = 0.2  # how often a waiting thread looks whether it should stop


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A frame that was decoded.

    Attributes:
        due: `time.monotonic()` at which it was to be looked at; its age counts from there.
        sampled_away: Frames of the source left out on purpose between the one before and it.
    """

    frame: Frame
    due: float
    sampled_away: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A camera gives no more frames.

    Attributes:
        problem: Why, as a sentence; empty where its source simply ended.
        sampled_away: Frames left out on purpose after the last one.
    """

    camera: str
    problem: str = ""


class Feeds:
    """All cameras of a run."""

    def __init__(self, *, paced: bool, stop: threading.Event, room: int = 8) -> None:
        """Prepare; no thread runs before `start`.

        Args:
            paced: Hand over frames when they are due; else as fast as they are taken.
            stop: Set by anyone to end all feeds.
            room: How many decoded frames may wait, of all cameras together.
        """
        self._paced = paced
        self._stop = stop
        self._arrivals: queue.Queue[Arrival | Ended] = queue.Queue(room)
        self._threads: list[threading.Thread] = []
        self._open: set[str] = set()

    def start(self, camera: str, source: CameraSource, *, first_seq: int = 0) -> None:
        """Begin to decode a camera from `first_seq` on."""
        thread = threading.Thread(
            target=self._feed, args=(camera, source, first_seq), name=f"feed-{camera}", daemon=True
        )
        self._threads.append(thread)
        self._open.add(camera)
        thread.start()

    def arrivals(self) -> Iterator[Arrival | Ended | None]:
        """What comes in, until every camera has ended; None now and then while nothing does."""
        while self._open:
            try:
                arrival = self._arrivals.get(timeout=_PATIENCE_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(arrival, Ended):
                self._open.discard(arrival.camera)
            yield arrival

    def close(self) -> None:
        """Stop the threads and wait for them."""
        self._stop.set()
        for thread in self._threads:
            while thread.is_alive():
                self._drain()
                thread.join(_PATIENCE_S)

    def _drain(self) -> None:
        try:
            while True:
                self._arrivals.get_nowait()
        except queue.Empty:
            pass

    def _feed(self, camera: str, source: CameraSource, first_seq: int) -> None:
        problem = ""
        try:
            self._decode(source, first_seq)
        except OpenLFRError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - a thread's edge: told, never lost
            problem = f"Camera {camera} failed: {type(error).__name__}: {error}"
        finally:
            source.close()
            self._hand_over(Ended(camera, problem))

    def _decode(self, source: CameraSource, first_seq: int) -> None:
        begun = time.monotonic()
        expected = first_seq
        fps = source.fps if self._paced else None
        for frame in source.frames(first_seq=first_seq):
            due = time.monotonic()
            if fps:
                due = begun + (frame.seq - first_seq) / fps
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
            if not self._hand_over(Arrival(frame, due, frame.seq - expected)):
                return
            expected = frame.seq + 1

    def _hand_over(self, arrival: Arrival | Ended) -> bool:
        """Wait for room; False if the run stops first."""
        while not self._stop.is_set():
            try:
                self._arrivals.put(arrival, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return True
        return False
