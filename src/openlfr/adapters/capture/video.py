"""A video file as a camera source."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, cast

from av.error import FFmpegError, InvalidDataError

from openlfr.adapters.capture.counters import SourceWithCounters
from openlfr.adapters.capture.formats import (
    FORMATS_WITHOUT_PRESENTATION_TIMES,
    RAW_FORMATS,
    open_video,
)
from openlfr.adapters.capture.frame_numbers import FrameNumbers
from openlfr.adapters.capture.frame_times import FrameClock, read_ticks, read_time_scale
from openlfr.adapters.capture.packet_times import PacketTimes, read_packet_times
from openlfr.adapters.capture.pictures import read_display_transform, read_pixel_aspect, to_bgr
from openlfr.adapters.capture.recording_date import read_recording_date
from openlfr.adapters.capture.sampling import FileSampling
from openlfr.adapters.capture.truncation import ReadProgress, read_declared_length
from openlfr.adapters.capture.upcoming_times import UpcomingTimes
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import DisplayTransform, Frame, StartOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from fractions import Fraction
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from openlfr.adapters.capture.options import SourceOptions


class VideoFile(SourceWithCounters):
    """A video file, decoded in order.

    `seq` counts the frames of the file from 0, in the order of display. `captured_at` is the
    file's recording date plus the presentation time since its first frame. Both depend on the file
    alone, not on the speed of reading or the frame at which reading begins. A frame that cannot be
    decoded has a number too; it is skipped and counted.
    """

    is_live = False

    def __init__(self, path: Path, options: SourceOptions) -> None:
        """Read the headers, so that an unusable file is reported at once.

        Raises:
            BadInput: The file does not exist, is empty, or is no video.
        """
        super().__init__()
        self._camera = options.camera
        self._path = path
        self._options = options
        self._closed = threading.Event()
        self._length: int | None = None  # frames of one playback, once known
        self._length_us = 0  # duration of one playback
        self._display_transform: DisplayTransform | None = None
        with self._open() as (container, stream):
            name = container.format.name
            has_times = name not in RAW_FORMATS
            self._scale = read_time_scale(
                stream,
                has_times=has_times,
                has_presentation_times=name not in FORMATS_WITHOUT_PRESENTATION_TIMES,
            )
            self._declared = read_declared_length(container, stream, has_times=has_times)
            recorded_at = read_recording_date(container, stream, now=datetime.now(UTC))
        self._sampling = FileSampling(options.fps, self._scale.tick_us if has_times else 1)
        origins = (
            (options.start, StartOrigin.CONFIGURED), (recorded_at, StartOrigin.RECORDED),
            (options.assumed_start, StartOrigin.ASSUMED),
        )  # fmt: skip
        self.start, self.start_origin = next((at, o) for at, o in origins if at is not None)

    @property
    def fps(self) -> float | None:
        """The file's average frame rate."""
        return float(self._scale.rate)

    @property
    def frame_count(self) -> int | None:
        """Number of frames, counted or declared; None if not declared and not yet counted."""
        return self._length or self._declared.frames

    @property
    def duration(self) -> timedelta | None:
        """Declared duration, to the end of the last frame; None if not declared."""
        seconds = self._declared.duration_s
        if seconds is None and self._declared.frames:
            seconds = self._scale.frames_to_us(self._declared.frames) / 1e6
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def display_transform(self) -> DisplayTransform | None:
        """Transformation of pictures; None before the first picture."""
        return self._display_transform

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield the sampled frames from `first_seq` on; endless with `loop`.

        Frames before `first_seq` are not decoded if the file allows seeking.

        Raises:
            BadInput: The file breaks off (raised after the frames before the break), or no frame
                can be decoded.
        """
        times = self._packet_times() if first_seq else None
        if times is not None:
            last_us = self._scale.microseconds(times.frames[-1] - times.frames[0])
            self._set_length(len(times.frames), last_us)
        base = base_us = 0
        if self._options.loop and self._length:
            playbacks = first_seq // self._length
            base, base_us = playbacks * self._length, playbacks * self._length_us
        previous_us: int | None = None
        while not self._closed.is_set():
            # Begin one frame earlier, since sampling needs the previous frame's time.
            for index, at_us, picture, aspect in self._play(max(first_seq - base - 1, 0), times):
                seq, at_us = base + index, base_us + at_us
                should_analyse = self._sampling.should_analyse(at_us, previous_us)
                previous_us = at_us
                if seq < first_seq:
                    continue
                if not should_analyse:
                    self.counters.sampled_away += 1
                    continue
                yield self._frame(seq, at_us, picture, aspect)
                if self._closed.is_set():
                    return
            if not self._options.loop or not self._length:
                return
            base += self._length
            base_us += self._length_us

    def close(self) -> None:
        """End the iteration before its next frame; the iteration then closes the file."""
        self._closed.set()

    def _frame(self, seq: int, at_us: int, picture: VideoFrame, aspect: Fraction) -> Frame:
        if self._display_transform is None:
            self._display_transform = read_display_transform(picture, aspect)
        try:
            at = self.start + timedelta(microseconds=at_us)
        except OverflowError:
            raise BadInput(
                f"camera {self._camera}: {self._path}: frame {seq} would be dated after the year"
                " 9999"
            ) from None
        assumed = self.start_origin is StartOrigin.ASSUMED
        image = to_bgr(picture, aspect)
        return Frame(self._camera, self._options.epoch, seq, at, image, time_assumed=assumed)

    def _play(
        self, skip: int, times: PacketTimes | None
    ) -> Iterator[tuple[int, int, VideoFrame, Fraction]]:
        """Play the file once, from frame `skip` or an earlier frame.

        Yields:
            Index of the frame, its time in microseconds, its picture and its pixel aspect.
        """
        with self._open() as (container, stream):
            if times is not None:
                if skip >= len(times.frames):
                    return
                container.seek(times.find_seek_time(skip), stream=stream)
            progress = ReadProgress(stream)
            upcoming = UpcomingTimes()
            packets = upcoming.read_ahead(self._packets(container, stream, progress))
            numbers = FrameNumbers(self._count_lost, times)
            clock: FrameClock | None = None
            is_located = times is None
            at_us = 0
            is_broken = False
            for packet, pictures in self._decode(packets, stream):
                is_broken = pictures is None
                if packet is not None:
                    numbers.record_packet(packet)
                if pictures is None:
                    numbers.record_damaged(packet)
                    continue
                for picture in pictures:
                    index = numbers.assign(picture)
                    if not is_located and index > skip:
                        # The format's seek went past the frame, so read from the beginning.
                        yield from self._play(0, None)
                        return
                    is_located = True
                    if clock is None:
                        is_guessed = times is None and not self._scale.has_presentation_times
                        clock = FrameClock(self._scale, None if is_guessed else numbers.first)
                    upcoming.remove(picture.pts)
                    at_us = clock.time(index, read_ticks(picture, self._scale), upcoming.times())
                    yield index, at_us, picture, read_pixel_aspect(stream)
            if not self._closed.is_set():
                numbers.end()
                self._check_end(numbers, progress, is_broken=is_broken)
                self._set_length(numbers.next, at_us)

    def _packets(
        self, container: InputContainer, stream: VideoStream, progress: ReadProgress
    ) -> Iterator[Packet[VideoStream] | None]:
        """Yield the video packets; a last None if the file cannot be read further."""
        only_file_end = self._declared.video_end_s is None and self._declared.file_end_s is not None
        try:
            for packet in container.demux() if only_file_end else container.demux(stream):
                if self._closed.is_set():
                    return
                if packet.size:
                    progress.record_packet(packet)
                    if packet.stream_index == stream.index:
                        yield cast("Packet[VideoStream]", packet)
        except FFmpegError:
            yield None

    def _decode(
        self, packets: Iterator[Packet[VideoStream] | None], stream: VideoStream
    ) -> Iterator[tuple[Packet[VideoStream] | None, list[VideoFrame] | None]]:
        """Yield each packet with its pictures, or with None if the packet is damaged.

        If the last packet is damaged, the pictures still in the decoder are yielded before that
        packet. So the last item has None if and only if the end of the file is damaged.
        """
        damaged: tuple[Packet[VideoStream] | None, None] | None = None
        for packet in packets:
            if damaged:
                yield damaged
            damaged = None
            if packet is None:
                damaged = None, None
                break
            try:
                pictures = packet.decode()
            except InvalidDataError:
                damaged = packet, None
                continue
            yield packet, pictures
        yield None, self._flush_decoder(stream)
        if damaged:
            yield damaged

    @staticmethod
    def _flush_decoder(stream: VideoStream) -> list[VideoFrame]:
        try:
            return stream.codec_context.decode(None)
        except FFmpegError:
            return []

    def _count_lost(self, first: int, count: int, *, at_beginning: bool) -> None:
        """Count frames that cannot be decoded."""
        where = f"camera {self._camera}: {self._path}"
        if at_beginning:
            frames = "first frame" if count == 1 else f"first {count} frames"
            self.counters.count_unreadable(
                count,
                f"{where}: its {frames} cannot be decoded; the recording begins between two key"
                " frames, or its beginning is damaged",
            )
        else:
            for index in range(first, first + count):
                self.counters.count_unreadable(1, f"{where}: frame {index} is damaged")

    def _check_end(self, numbers: FrameNumbers, progress: ReadProgress, *, is_broken: bool) -> None:
        """Raise BadInput if the file is truncated, or none of its frames could be decoded."""
        readable_end = numbers.readable_end
        if readable_end == 0:
            raise BadInput(f"camera {self._camera}: no frame of {self._path} could be decoded")
        if is_broken or progress.is_short_of(self._declared, numbers.next, float(self._scale.rate)):
            of = f" of {self._declared.frames}" if self._declared.frames else ""
            if not of and (declared_s := self._declared.duration_s):
                of = f" of {round(declared_s * self._scale.rate)}"
            raise BadInput(
                f"camera {self._camera}: {self._path} breaks off after frame"
                f" {readable_end - 1}{of}; the file is truncated or damaged"
            )

    def _set_length(self, frames: int, last_us: int) -> None:
        """Set frames and duration of a playback; its last frame has the average duration."""
        self._length = frames
        spacing = last_us / (frames - 1) if frames > 1 else self._scale.frames_to_us(1)
        self._length_us = last_us + max(1, round(spacing))

    def _packet_times(self) -> PacketTimes | None:
        """Return the times of all frames; None if only decoding counts frames correctly."""
        if not self._scale.has_times:
            return None
        with self._open() as (container, stream):
            times = read_packet_times(container, stream)
        if times is None:
            return None
        with self._open() as (container, stream):
            try:
                beginning = list(islice(container.decode(stream), 10))
            except FFmpegError:
                return None
        # Compare with the times of decoded frames. They differ if a frame has two packets (fields),
        # if a packet has no visible frame, or if reordered frames have decoding times (AVI).
        decoded = [read_ticks(picture, self._scale) for picture in beginning]
        return times if decoded == times.frames[: len(decoded)] else None

    def _open(self) -> AbstractContextManager[tuple[InputContainer, VideoStream]]:
        return open_video(self._camera, self._path, threads=self._options.threads)
