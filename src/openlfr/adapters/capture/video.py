"""A video file as a camera."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError, InvalidDataError

from openlfr.adapters.capture.account import Accounted, Reading, Sampling
from openlfr.adapters.capture.packet_times import PacketTimes, read_packet_times
from openlfr.adapters.capture.pictures import to_bgr
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_NOT_VIDEO = ("tty", "lrc", "srt", "ass", "webvtt")
"""Formats that the library sees in plain text files."""


class VideoFile(Accounted):
    """A video file, decoded in order.

    `seq` counts the decoded frames of the file from 0, `captured_at` is `start` + seq / the
    file's own average rate: the same however fast it is read and wherever reading begins.
    A damaged frame in the middle keeps its number, is left out and counted.
    """

    live = False

    def __init__(self, path: Path, reading: Reading) -> None:
        """See `open_source`. The file is opened once here, so that a bad one is told at once.

        Raises:
            BadInput: No such file, empty, or no video.
        """
        super().__init__()
        self._camera = reading.camera
        self._path = path
        self._reading = reading
        self._closed = threading.Event()
        self._length: int | None = None  # of one round, once it is known
        with self._open() as (container, stream):
            rate = stream.average_rate or stream.guessed_rate
            self._fps = float(rate) if rate else None
            self._expected = stream.frames or self._expect(container)
        self._sampling = Sampling(reading.fps, self._fps)

    @property
    def fps(self) -> float | None:
        """The file's own average rate."""
        return self._fps

    @property
    def frame_count(self) -> int | None:
        """How many frames the file says that it has (some formats tell their duration only)."""
        return self._expected

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield the sampled frames from `first_seq` on; with `loop` without end.

        Frames before `first_seq` are not decoded, as far as the file tells where they lie.

        Raises:
            BadInput: The file breaks off; the frames before the break were yielded.
        """
        times = self._packet_times() if first_seq else None
        if times is not None:
            self._length = len(times.frames)
        base = 0
        if self._reading.loop and self._length:
            base = first_seq // self._length * self._length
        while not self._closed.is_set():
            skip = max(first_seq - base, 0)
            for index, picture in self._play(skip, times):
                seq = base + index
                if seq < first_seq:
                    continue
                if not self._sampling.takes(seq):
                    self.account.sampled_away += 1
                    continue
                at = self._at(seq, picture)
                yield Frame(self._camera, self._reading.epoch, seq, at, to_bgr(picture))
                if self._closed.is_set():
                    return
            if not self._reading.loop or not self._length:
                return
            base += self._length

    def close(self) -> None:
        """End the iteration before its next frame; the file is closed by the iteration itself."""
        self._closed.set()

    def _at(self, seq: int, picture: VideoFrame) -> datetime:
        seconds = seq / self._fps if self._fps else picture.time or 0.0
        return self._reading.start + timedelta(seconds=seconds)

    def _play(self, skip: int, times: PacketTimes | None) -> Iterator[tuple[int, VideoFrame]]:
        """One round of the file: (index, frame), beginning at or before `skip`."""
        with self._open() as (container, stream):
            if times is not None:
                if skip >= len(times.frames):
                    return
                container.seek(times.seek_for(skip), stream=stream)
            index = readable = 0
            landed = times is None
            broken = False
            for pictures in self._decode(container, stream):
                broken = pictures is None
                if pictures is None:
                    where = f"camera {self._camera}: {self._path}: frame {index}"
                    self.account.lost(1, f"{where} is damaged")
                    index += 1
                    continue
                for picture in pictures:
                    if times is not None and picture.pts is not None:
                        index = times.seq_of(picture.pts)
                    if not landed and index > skip:  # the format seeks badly: from the beginning
                        yield from self._play(0, None)
                        return
                    landed = True
                    yield index, picture
                    index = readable = index + 1
            if not self._closed.is_set():
                self._check_end(readable, broken=broken)
                self._length = index

    def _decode(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[list[VideoFrame] | None]:
        """Frames of each packet; None for a damaged one. Frames held back come before a last None.

        So whether the file's end was damaged is told by whether None comes last.
        """
        damaged = False
        try:
            for packet in container.demux(stream):
                if self._closed.is_set():
                    return
                if packet.size == 0:
                    break
                if damaged:
                    yield None
                try:
                    pictures = packet.decode()
                except InvalidDataError:
                    damaged = True
                    continue
                damaged = False
                yield pictures
        except FFmpegError:
            damaged = True
        yield stream.codec_context.decode(None)
        if damaged:
            yield None

    def _check_end(self, count: int, *, broken: bool) -> None:
        """A file that ended before its end is said to have done so.

        A few frames may be missing at the end of a sound file (edit lists, rounded durations).
        """
        short = self._expected is not None and count + max(3, self._expected // 50) < self._expected
        if count == 0:
            raise BadInput(f"camera {self._camera}: no frame of {self._path} could be decoded")
        if broken or short:
            of = f" of {self._expected}" if self._expected else ""
            raise BadInput(
                f"camera {self._camera}: {self._path} breaks off after frame {count - 1}{of};"
                " the file is truncated or damaged"
            )

    def _packet_times(self) -> PacketTimes | None:
        with self._open() as (container, stream):
            return read_packet_times(container, stream)

    def _expect(self, container: InputContainer) -> int | None:
        if container.duration is None or self._fps is None:
            return None
        return round(container.duration / av.time_base * self._fps)

    @contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        try:
            if self._path.stat().st_size == 0:
                raise BadInput(f"camera {self._camera}: {self._path} is empty (0 bytes)")
            with av.open(str(self._path), "r") as container:
                if not container.streams.video or container.format.name in _NOT_VIDEO:
                    raise BadInput(f"camera {self._camera}: {self._path} holds no video")
                stream = container.streams.video[0]
                if stream.codec_context is None:  # the library's types do not know this
                    raise BadInput(
                        f"camera {self._camera}: {self._path} cannot be read as a video: its"
                        " format cannot be told, it may be truncated"
                    )
                stream.thread_type = "NONE" if self._reading.threads == 1 else "AUTO"
                stream.codec_context.thread_count = self._reading.threads
                yield container, stream
        except (FFmpegError, OSError) as error:
            raise BadInput(
                f"camera {self._camera}: {self._path} cannot be read as a video:"
                f" {error.strerror or error}"
            ) from error
