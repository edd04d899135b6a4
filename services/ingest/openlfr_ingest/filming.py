"""Films one camera: sends the frames of its source to Kafka, each with its number and time.

A live camera never waits. Its newest frame is sent, and a frame is dropped and counted if the
sender has no room for it. A file plays at its own speed, or as fast as Kafka accepts frames. With
`max_age: off` a file waits for room, and no frame is dropped.
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

_FLUSH_TIMEOUT, _LOSSLESS_FLUSH_TIMEOUT = timedelta(seconds=5), timedelta(seconds=120)
_LOG_LATE_EACH_S = 60.0
_CHECK_S = 0.2  # between two checks whether a paused file continues

log = structlog.get_logger()


@dataclasses.dataclass(frozen=True, slots=True)
class Senders:
    """The senders for frames.v1 and tallies.v1."""

    frames: RecordSender
    tallies: RecordSender


class FilmingSession:
    """Films one camera until its source ends.

    Attributes:
        last_sent_at: When a frame last reached Kafka, or a paused file last continued, in seconds
            since 1970; 0 before the first frame.
        is_paused: Whether this session plays a file and waits for its deployment to be in force.
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
        first_frame_due: float | None = None,
        traceparent: Callable[[], str] = lambda: "",
    ) -> None:
        """Prepare a session; `run` films.

        Args:
            camera: Name of the camera.
            source: The source of the frames, opened with the epoch of the camera's lease.
            senders: The senders of frames and tallies.
            deployment: The state of the deployment; no frame is sent while it is not in force.
            loop: Whether a file begins again at its end.
            paced: Whether a file plays at its own speed, rather than as fast as Kafka accepts
                frames.
            lossless: Whether frames of a file wait for room; frames of a live source never wait.
            first_frame_due: When the first frame of a file is due, by `time.monotonic()`; None for
                the time at which the frame is read. Later frames are due relative to this time, so
                that lateness does not add up.
            traceparent: Returns the trace of a new frame.
        """
        self._source = source
        self._senders = senders
        self._deployment = deployment
        self._loop = loop
        self._paced = paced and not source.is_live
        self._waits_for_room = lossless and not source.is_live
        self._first_frame_due = first_frame_due
        self._traceparent = traceparent
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.last_sent_at = 0.0
        self.is_paused = False
        self._log_late_after = 0.0  # by time.monotonic()
        self._last_sent: EncodedFrame | None = None  # of the present epoch
        self._tallies = CaptureTallyCollector(
            deployment.deployment_id, camera, source.counters, self._send_tally, live=source.is_live
        )

    @property
    def counts(self) -> Counter[str]:
        """The number of frames by outcome, and the number of connections of a live camera.

        Frames: sent, dropped (no room, or rejected by Kafka), outside_hours, paused, unknown and
        other_camera (`NotInForce`), unreadable, sampled_away, overtaken (by a newer frame), late
        (sent, but read late). Others: connects, reconnects, failures (of connections), frozen
        (failures by silence), tallies_lost.
        """
        counters = self._source.counters
        with self._lock:
            counts = Counter(self._counts)
        counts["unreadable"] += counters.unreadable
        counts["sampled_away"] += counters.sampled_away
        if self._source.is_live:
            counts["overtaken"] += counters.overtaken
            counts["late"] += counters.late
            counts["connects"] += counters.connects
            counts["reconnects"] += max(counters.connects - 1, 0)
            counts["failures"] += counters.failures
            counts["frozen"] += counters.frozen
        return counts

    def run(self, stop: threading.Event) -> None:
        """Film until the source ends, the source is closed, or `stop` is set.

        Raises:
            BadInput: The source breaks off.
            Unavailable: Kafka did not accept a frame in lossless mode.
        """
        try:
            for frame, content in self._read_frames():
                self._wait_until_due(frame, stop)
                self._wait_until_in_force(frame.camera, stop)
                if stop.is_set():
                    return
                self._log_lateness(frame.camera)
                self._tallies.frame(frame)
                self._send(frame, content, stop)
        except BadInput:
            self._send_end(stop)
            raise
        else:
            self._send_end(stop)
        finally:
            self._source.close()
            self._flush_and_close(stop)

    def end_epoch(self, stop: threading.Event) -> None:
        """End the epoch of a live camera, since its connection is lost."""
        self._send_end(stop)
        self._tallies.close()

    def _wait_until_due(self, frame: Frame, stop: threading.Event) -> None:
        if self._paced:
            at = (frame.captured_at - self._source.start).total_seconds()
            if self._first_frame_due is None:
                self._first_frame_due = time.monotonic() - at
            stop.wait(max(0.0, self._first_frame_due + at - time.monotonic()))

    def _wait_until_in_force(self, camera: str, stop: threading.Event) -> None:
        """Pause a file while its deployment is halted; the file then continues with this frame.

        A live camera is disconnected instead (`supervision.py`), so that nothing is filmed.
        """
        if self._source.is_live or not self._is_halted(camera):
            return
        since, self.is_paused = time.monotonic(), True
        while self._is_halted(camera) and not stop.wait(_CHECK_S):
            pass
        self.is_paused, self.last_sent_at = False, time.time()
        if self._first_frame_due is not None:
            self._first_frame_due += time.monotonic() - since

    def _is_halted(self, camera: str) -> bool:
        return self._deployment.halt_reason(camera) is not None

    def _log_lateness(self, camera: str) -> None:
        """Log, at most once a minute, that frames are read late."""
        behind_s, now = self._source.counters.behind_s, time.monotonic()
        if behind_s > LATE_S and now >= self._log_late_after:
            self._log_late_after = now + _LOG_LATE_EACH_S
            log.warning("camera_is_read_late", camera=camera, behind_s=round(behind_s, 1))

    def _read_frames(self) -> Iterator[tuple[Frame, bytes]]:
        """Yield each frame with its JPEG bytes, which are empty if the source has no JPEG files."""
        if isinstance(self._source, PictureFolder):
            yield from self._source.frames_with_content()
        else:
            for frame in self._source.frames():
                yield frame, b""

    def _send(self, frame: Frame, content: bytes, stop: threading.Event) -> None:
        if reason := self._deployment.skip_reason(frame.captured_at, frame.camera):
            self._count(reason, OUTSIDE_HOURS if reason is NotInForce.OUTSIDE_HOURS else PAUSED)
            return
        height, width = frame.image.shape[:2]
        frames_in_loop = self._source.frame_count if self._loop else None
        try:
            encoded = EncodedFrame(
                deployment=self._deployment.deployment_id,
                camera=frame.camera,
                epoch=frame.epoch,
                seq=frame.seq,
                frame_index=frame.seq % frames_in_loop if frames_in_loop else frame.seq,
                captured_at=frame.captured_at,
                time_assumed=frame.time_assumed,
                width=width,
                height=height,
                jpeg=content if is_jpeg(content) else encode_jpeg(frame.image),
            )
            sent = self._senders.frames.send(
                codec.encode_frame(encoded, traceparent=self._traceparent()),
                wait=self._waits_for_room,
                stop=stop,
                on_done=self._on_frame_done,
            )
        except BadInput:  # too large for JPEG or for Kafka
            self._count("unreadable", UNREADABLE)
            return
        if sent:
            self._last_sent = dataclasses.replace(encoded, jpeg=b"")
        else:
            self._count("dropped", DROPPED_LATE)

    def _send_end(self, stop: threading.Event) -> None:
        """Send the end of the epoch, so that analysis ends its tracks now.

        No end is sent if filming was stopped, since this or another process may continue to film
        the camera.
        """
        if self._last_sent is None or stop.is_set():
            return
        end = dataclasses.replace(self._last_sent, seq=self._last_sent.seq + 1, ended=True)
        self._last_sent = None
        wait = not self._source.is_live
        if not self._senders.frames.send(codec.encode_frame(end), wait=wait, stop=stop):
            self._count("ends_dropped")

    def _flush_and_close(self, stop: threading.Event) -> None:
        """Wait until Kafka has accepted or rejected every frame, and send the last tally."""
        try:
            self._senders.frames.flush(_FLUSH_TIMEOUT if stop.is_set() else _LOSSLESS_FLUSH_TIMEOUT)
        except Unavailable:
            # The frames are counted as dropped. In lossless mode that is an error for every file;
            # otherwise only for a file that was not stopped.
            if not self._source.is_live and (self._waits_for_room or not stop.is_set()):
                raise
        finally:
            self._tallies.close()

    def _send_tally(self, tally: Tally) -> bool:
        record = codec.encode_tally(tally)
        # If the sender has no room, the counts are sent with the next tally.
        return self._senders.tallies.send(
            record, wait=False, stop=threading.Event(), on_done=self._on_tally_done
        )

    def _on_frame_done(self, delivered: bool) -> None:
        if delivered:
            self.last_sent_at = time.time()
            self._count("sent")
        else:
            self._count("dropped", DROPPED_LATE)

    def _on_tally_done(self, delivered: bool) -> None:
        if not delivered:
            self._count("tallies_lost")

    def _count(self, name: str, tally_name: str = "") -> None:
        with self._lock:  # callbacks come from the producer's thread
            self._counts[name] += 1
        if tally_name:
            self._tallies.count(tally_name)
