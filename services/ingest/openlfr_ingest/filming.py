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
from typing import TYPE_CHECKING

from openlfr.adapters.capture.folder import PictureFolder
from openlfr.adapters.capture.jpeg import encode_jpeg, is_jpeg
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import EncodedFrame
from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.adapters.capture import Source
    from openlfr.adapters.kafka_producer import RecordSender
    from openlfr.domain.frames import Frame
    from openlfr.settings import Deployment


class Filming:
    """One camera while its source lasts.

    Attributes:
        counts: frames sent, dropped (no room, or Kafka did not take them), outside_hours,
            unreadable, sampled_away.
    """

    def __init__(
        self,
        source: Source,
        sender: RecordSender,
        deployment: Deployment,
        *,
        loop: bool,
        paced: bool,
        lossless: bool,
    ) -> None:
        """Prepare; `go` films.

        Args:
            source: Opened under the epoch of the camera's lease.
            sender: Of frames.v1.
            deployment: Outside its hours nothing is sent.
            loop: Whether a file begins again at its end.
            paced: Send a file's frames when they are due; else as fast as they are taken.
            lossless: Wait for room rather than drop; a live source drops nonetheless.
        """
        self._source = source
        self._sender = sender
        self._deployment = deployment
        self._loop = loop
        self._paced = paced and not source.live
        self._wait = lossless and not source.live
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._last: EncodedFrame | None = None  # that was sent

    def go(self, stop: threading.Event) -> None:
        """Film until the source ends or `stop` is set.

        Raises:
            BadInput: The source breaks off.
            Unavailable: Kafka does not take frames, and none may be lost.
        """
        begun = time.monotonic()
        first: int | None = None
        try:
            for frame, content in self._pictures():
                first = frame.seq if first is None else first
                if self._paced and self._source.fps:
                    due = begun + (frame.seq - first) / self._source.fps
                    stop.wait(max(0.0, due - time.monotonic()))
                if stop.is_set():
                    return
                self._send(frame, content, stop)
        except BadInput:
            self._tell_end(stop)
            raise
        else:
            self._tell_end(stop)
        finally:
            self._count("unreadable", self._source.unreadable)
            self._count("sampled_away", self._source.sampled_away)
            self._source.close()

    def _pictures(self) -> Iterator[tuple[Frame, bytes]]:
        """Each frame, with the JPEG that the source has of it; empty where it has none."""
        if isinstance(self._source, PictureFolder):
            yield from self._source.with_content()
        else:
            for frame in self._source.frames():
                yield frame, b""

    def _send(self, frame: Frame, content: bytes, stop: threading.Event) -> None:
        if not self._deployment.starts <= frame.captured_at < self._deployment.ends:
            self._count("outside_hours")
            return
        height, width = frame.image.shape[:2]
        round_ = self._source.frame_count if self._loop else None
        try:
            encoded = EncodedFrame(
                deployment=self._deployment.name,
                camera=frame.camera,
                epoch=frame.epoch,
                seq=frame.seq,
                frame_index=frame.seq % round_ if round_ else frame.seq,
                captured_at=frame.captured_at,
                width=width,
                height=height,
                jpeg=content if is_jpeg(content) else encode_jpeg(frame.image),
            )
            record = codec.encode_frame(encoded)
            sent = self._sender.send(
                record,
                wait=self._wait,
                stop=stop,
                on_done=lambda delivered: self._count("sent" if delivered else "dropped"),
            )
        except BadInput:  # too large for JPEG or for Kafka
            self._count("unreadable")
            return
        if sent:
            self._last = dataclasses.replace(encoded, jpeg=b"")
        else:
            self._count("dropped")

    def _tell_end(self, stop: threading.Event) -> None:
        """Tell analysis that no frame of a file follows, so that its tracks end now.

        A camera that is only stopped says nothing: it may be filmed on, here or elsewhere.
        """
        if self._last is not None and not self._source.live and not stop.is_set():
            end = dataclasses.replace(self._last, seq=self._last.seq + 1, ended=True)
            self._sender.send(codec.encode_frame(end), wait=True, stop=stop)

    def _count(self, what: str, number: int = 1) -> None:
        with self._lock:  # callbacks come from the producer's thread
            self.counts[what] += number
