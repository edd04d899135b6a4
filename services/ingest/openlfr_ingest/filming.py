"""Films one camera: frames from its source to Kafka, each with its number and time.

A live camera never waits: its newest frame wins, and what finds no room is dropped and counted.
A file plays as it was filmed, or as fast as it is taken; with `max_age: off` it waits for room,
and nothing is dropped.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.capture.folder import PictureFolder
from openlfr.adapters.capture.jpeg import encode_jpeg, is_jpeg
from openlfr.adapters.capture.lateness import LATE_S
from openlfr.domain.capture_tally_collector import (
    DROPPED_LATE,
    OUTSIDE_HOURS,
    PAUSED,
    UNREADABLE,
    CaptureTallyCollector,
)
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.frames import EncodedFrame
from openlfr.in_force import NotInForce
from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openlfr.adapters.capture import Source
    from openlfr.adapters.kafka.producer import RecordSender
    from openlfr.domain.frames import Frame
    from openlfr.domain.tallies import Tally
    from openlfr.in_force import DeploymentInForce

_LIVE, _LOSSLESS = timedelta(seconds=5), timedelta(seconds=120)  # until all is with Kafka
_SAY_LATE_EACH_S = 60.0
_LOOK_S = 0.2  # how soon a file goes on

log = structlog.get_logger()


@dataclasses.dataclass(frozen=True, slots=True)
class Senders:
    """Where to: one each for frames.v1 and tallies.v1."""

    frames: RecordSender
    tallies: RecordSender


class FilmingSession:
    """One camera while its source lasts.

    Attributes:
        last_sent: Seconds since 1970 at which a frame of it last reached Kafka, or a file began
            to play again; 0 before that.
        waits: Whether it is a file that stands still, since its deployment is not in force.
    """

    def __init__(
        self,
        camera: str,
        source: Source,
        senders: Senders,
        deployment: DeploymentInForce,
        *,
        loop: bool,
        paced: bool,
        lossless: bool,
        begun: float | None = None,
        traceparent: Callable[[], str] = lambda: "",
    ) -> None:
        """Prepare; `go` films.

        Args:
            camera: Its name.
            source: Opened under the epoch of the camera's lease.
            senders: Of frames and tallies.
            deployment: While it is not in force nothing is sent.
            loop: Whether a file begins again at its end.
            paced: Send a file's frames when they are due; else as fast as they are taken.
            lossless: Wait for room rather than drop; a live source drops nonetheless.
            begun: `time.monotonic()` at which a file's first frame is due; None for its first
                frame. A frame that is late is sent at once: lateness does not add up.
            traceparent: Gives each frame's trace.
        """
        self._source = source
        self._senders = senders
        self._deployment = deployment
        self._loop = loop
        self._paced = paced and not source.live
        self._wait = lossless and not source.live
        self._begun = begun
        self._traceparent = traceparent
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.last_sent = 0.0
        self.waits = False
        self._say_late_at = 0.0  # by time.monotonic(): not before
        self._last: EncodedFrame | None = None  # that was sent, of an epoch that is not over
        self._tallying = CaptureTallyCollector(
            deployment.deployment_id, camera, source.counters, self._tell, live=source.live
        )

    @property
    def counts(self) -> Counter[str]:
        """Frames so far, by what became of them; of a live camera also its connections.

        sent, dropped (no room, or Kafka did not take them), outside_hours, paused, unknown and
        other_camera (`NotInForce`), unreadable, sampled_away, overtaken (by a newer one), late (of
        those sent: read late); connects, reconnects, failures (of connections), frozen (failures
        by silence), tallies_lost.
        """
        counters = self._source.counters
        with self._lock:
            counts = Counter(self._counts)
        counts["unreadable"] += counters.unreadable
        counts["sampled_away"] += counters.sampled_away
        if self._source.live:
            counts["overtaken"] += counters.overtaken
            counts["late"] += counters.late
            counts["connects"] += counters.connects
            counts["reconnects"] += max(counters.connects - 1, 0)
            counts["failures"] += counters.failures
            counts["frozen"] += counters.frozen
        return counts

    def go(self, stop: threading.Event) -> None:
        """Film until the source ends, or is closed, or `stop` is set.

        Raises:
            BadInput: The source breaks off.
            Unavailable: Kafka does not take frames, and none may be lost.
        """
        try:
            for frame, content in self._pictures():
                self._wait_until_due(frame, stop)
                self._wait_until_in_force(frame.camera, stop)
                if stop.is_set():
                    return
                self._heed_lateness(frame.camera)
                self._tallying.frame(frame)
                self._send(frame, content, stop)
        except BadInput:
            self._tell_end(stop)
            raise
        else:
            self._tell_end(stop)
        finally:
            self._source.close()
            self._finish(stop)

    def lost(self, stop: threading.Event) -> None:
        """A live camera's connection is over, and with it its epoch."""
        self._tell_end(stop)
        self._tallying.close()

    def _wait_until_due(self, frame: Frame, stop: threading.Event) -> None:
        if self._paced:
            at = (frame.captured_at - self._source.start).total_seconds()
            if self._begun is None:
                self._begun = time.monotonic() - at
            stop.wait(max(0.0, self._begun + at - time.monotonic()))

    def _wait_until_in_force(self, camera: str, stop: threading.Event) -> None:
        """Let a file stand still while its deployment is paused, and go on from there.

        A live camera is disconnected instead (`supervision`): what it shows meanwhile nobody sees.
        """
        if self._source.live or not self._stands_still(camera):
            return
        since, self.waits = time.monotonic(), True
        while self._stands_still(camera) and not stop.wait(_LOOK_S):
            pass
        self.waits, self.last_sent = False, time.time()
        if self._begun is not None:
            self._begun += time.monotonic() - since

    def _stands_still(self, camera: str) -> bool:
        return self._deployment.halt_reason(camera) is not None

    def _heed_lateness(self, camera: str) -> None:
        """Say it, now and then, where what comes has waited in buffers."""
        behind_s, now = self._source.counters.behind_s, time.monotonic()
        if behind_s > LATE_S and now >= self._say_late_at:
            self._say_late_at = now + _SAY_LATE_EACH_S
            log.warning("camera_is_read_late", camera=camera, behind_s=round(behind_s, 1))

    def _pictures(self) -> Iterator[tuple[Frame, bytes]]:
        """Each frame, with the JPEG that the source has of it; empty where it has none."""
        if isinstance(self._source, PictureFolder):
            yield from self._source.frames_with_content()
        else:
            for frame in self._source.frames():
                yield frame, b""

    def _send(self, frame: Frame, content: bytes, stop: threading.Event) -> None:
        if why := self._deployment.skip_reason(frame.captured_at, frame.camera):
            self._count(why, OUTSIDE_HOURS if why is NotInForce.OUTSIDE_HOURS else PAUSED)
            return
        height, width = frame.image.shape[:2]
        round_ = self._source.frame_count if self._loop else None
        try:
            encoded = EncodedFrame(
                deployment=self._deployment.deployment_id,
                camera=frame.camera,
                epoch=frame.epoch,
                seq=frame.seq,
                frame_index=frame.seq % round_ if round_ else frame.seq,
                captured_at=frame.captured_at,
                time_assumed=frame.time_assumed,
                width=width,
                height=height,
                jpeg=content if is_jpeg(content) else encode_jpeg(frame.image),
            )
            sent = self._senders.frames.send(
                codec.encode_frame(encoded, traceparent=self._traceparent()),
                wait=self._wait,
                stop=stop,
                on_done=self._sent,
            )
        except BadInput:  # too large for JPEG or for Kafka
            self._count("unreadable", UNREADABLE)
            return
        if sent:
            self._last = dataclasses.replace(encoded, jpeg=b"")
        else:
            self._count("dropped", DROPPED_LATE)

    def _tell_end(self, stop: threading.Event) -> None:
        """Tell analysis that no frame of the epoch follows, so that its tracks end now.

        A camera that is only stopped says nothing: it may be filmed on, here or elsewhere.
        """
        if self._last is None or stop.is_set():
            return
        end = dataclasses.replace(self._last, seq=self._last.seq + 1, ended=True)
        self._last = None
        wait = not self._source.live
        if not self._senders.frames.send(codec.encode_frame(end), wait=wait, stop=stop):
            self._count("ends_dropped")

    def _finish(self, stop: threading.Event) -> None:
        """Wait until it is known of every frame whether Kafka has it, and tell the last tally."""
        try:
            self._senders.frames.flush(_LIVE if stop.is_set() else _LOSSLESS)
        except Unavailable:
            # Of a live camera every frame is counted anyway. So it is of a file that is only
            # stopped, unless none of it may be lost: another process may go on with it.
            if not self._source.live and (self._wait or not stop.is_set()):
                raise
        finally:
            self._tallying.close()

    def _tell(self, tally: Tally) -> bool:
        record = codec.encode_tally(tally)
        never = threading.Event()  # it does not wait: what finds no room is told with the next
        return self._senders.tallies.send(record, wait=False, stop=never, on_done=self._told)

    def _sent(self, delivered: bool) -> None:
        if delivered:
            self.last_sent = time.time()
            self._count("sent")
        else:
            self._count("dropped", DROPPED_LATE)

    def _told(self, delivered: bool) -> None:
        if not delivered:
            self._count("tallies_lost")

    def _count(self, what: str, tallied: str = "") -> None:
        with self._lock:  # callbacks come from the producer's thread
            self._counts[what] += 1
        if tallied:
            self._tallying.count(tallied)
