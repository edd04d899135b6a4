"""A video file as a camera."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, cast

from av.error import FFmpegError, InvalidDataError

from openlfr.adapters.capture.account import Accounted, Reading
from openlfr.adapters.capture.coming_times import ComingTimes
from openlfr.adapters.capture.endings import Seen, expected_of
from openlfr.adapters.capture.formats import PRESENTED_NEVER, RAW, open_video
from openlfr.adapters.capture.frame_numbers import FrameNumbers
from openlfr.adapters.capture.frame_times import FrameClock, Sampling, ticks_of, time_scale_of
from openlfr.adapters.capture.packet_times import PacketTimes, read_packet_times
from openlfr.adapters.capture.pictures import pixel_aspect_of, shown_as, to_bgr
from openlfr.adapters.capture.recording_date import recording_date
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame, Shown, StartOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from fractions import Fraction
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream


class VideoFile(Accounted):
    """A video file, decoded in order.

    `seq` counts the frames of the file from 0, in the order in which they are shown; `captured_at`
    is when it was filmed plus the time from its first frame's presentation to this one's. Both are
    the file's alone: the same however fast it is read and wherever reading begins. A frame that
    cannot be decoded keeps its number, is left out and counted.
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
        self._round_us = 0  # how long it lasts
        self._shown: Shown | None = None
        with self._open() as (container, stream):
            timed = container.format.name not in RAW
            presented = container.format.name not in PRESENTED_NEVER
            self._scale = time_scale_of(stream, timed=timed, presented=presented)
            self._expected = expected_of(container, stream, timed=timed)
            filmed = recording_date(container, stream, now=datetime.now(UTC))
        self._sampling = Sampling(reading.fps, self._scale.tick_us if timed else 1)
        origins = (
            (reading.start, StartOrigin.CONFIGURED), (filmed, StartOrigin.RECORDED),
            (reading.assumed_start, StartOrigin.ASSUMED),
        )  # fmt: skip
        self.start, self.start_origin = next((at, o) for at, o in origins if at is not None)

    @property
    def fps(self) -> float | None:
        """The file's own average rate."""
        return float(self._scale.rate)

    @property
    def frame_count(self) -> int | None:
        """How many frames it has, as far as it says so or was read to its end."""
        return self._length or self._expected.frames

    @property
    def lasts(self) -> timedelta | None:
        """From its first frame until its last is over, as far as it says so."""
        seconds = self._expected.lasts_s
        if seconds is None and self._expected.frames:
            seconds = self._scale.of_frames(self._expected.frames) / 1e6
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def shown(self) -> Shown | None:
        """What is done to its pictures; None before the first."""
        return self._shown

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield the sampled frames from `first_seq` on; with `loop` without end.

        Frames before `first_seq` are not decoded, as far as the file tells where they lie.

        Raises:
            BadInput: The file breaks off; the frames before the break were yielded.
        """
        times = self._packet_times() if first_seq else None
        if times is not None:
            last = self._scale.microseconds(times.frames[-1] - times.frames[0])
            self._measure_round(len(times.frames), last)
        base = base_us = 0
        if self._reading.loop and self._length:
            rounds = first_seq // self._length
            base, base_us = rounds * self._length, rounds * self._round_us
        before_us: int | None = None
        while not self._closed.is_set():
            # From the frame before, since sampling looks at the time between them.
            for index, at_us, picture, aspect in self._play(max(first_seq - base - 1, 0), times):
                seq, at_us = base + index, base_us + at_us
                taken = self._sampling.takes(at_us, before_us)
                before_us = at_us
                if seq < first_seq:
                    continue
                if not taken:
                    self.account.sampled_away += 1
                    continue
                yield self._frame(seq, at_us, picture, aspect)
                if self._closed.is_set():
                    return
            if not self._reading.loop or not self._length:
                return
            base += self._length
            base_us += self._round_us

    def close(self) -> None:
        """End the iteration before its next frame; the file is closed by the iteration itself."""
        self._closed.set()

    def _frame(self, seq: int, at_us: int, picture: VideoFrame, aspect: Fraction) -> Frame:
        if self._shown is None:
            self._shown = shown_as(picture, aspect)
        try:
            at = self.start + timedelta(microseconds=at_us)
        except OverflowError:
            raise BadInput(
                f"camera {self._camera}: {self._path}: frame {seq} says a time that no calendar has"
            ) from None
        assumed = self.start_origin is StartOrigin.ASSUMED
        image = to_bgr(picture, aspect)
        return Frame(self._camera, self._reading.epoch, seq, at, image, time_assumed=assumed)

    def _play(
        self, skip: int, times: PacketTimes | None
    ) -> Iterator[tuple[int, int, VideoFrame, Fraction]]:
        """One round of the file, beginning at or before `skip`: index, microseconds, frame."""
        with self._open() as (container, stream):
            if times is not None:
                if skip >= len(times.frames):
                    return
                container.seek(times.seek_for(skip), stream=stream)
            seen = Seen(stream)
            coming = ComingTimes()
            packets = coming.ahead(self._packets(container, stream, seen))
            numbers = FrameNumbers(self._lost, times)
            clock: FrameClock | None = None
            landed = times is None
            at_us = 0
            broken = False
            for packet, pictures in self._decode(packets, stream):
                broken = pictures is None
                if packet is not None:
                    numbers.read(packet)
                if pictures is None:
                    numbers.damaged(packet)
                    continue
                for picture in pictures:
                    index = numbers.of(picture)
                    if not landed and index > skip:  # the format seeks badly: from the beginning
                        yield from self._play(0, None)
                        return
                    landed = True
                    if clock is None:
                        guessed = times is None and not self._scale.presented
                        clock = FrameClock(self._scale, None if guessed else numbers.first)
                    coming.shown(picture.pts)
                    at_us = clock.at(index, ticks_of(picture, self._scale), coming.unshown())
                    yield index, at_us, picture, pixel_aspect_of(stream)
            if not self._closed.is_set():
                numbers.end()
                self._check_end(numbers, seen, broken=broken)
                self._measure_round(numbers.next, at_us)

    def _packets(
        self, container: InputContainer, stream: VideoStream, seen: Seen
    ) -> Iterator[Packet[VideoStream] | None]:
        """The picture's packets; a last None where the file itself is damaged."""
        judged_by_all = self._expected.picture_s is None and self._expected.whole_s is not None
        try:
            for packet in container.demux() if judged_by_all else container.demux(stream):
                if self._closed.is_set():
                    return
                if packet.size:
                    seen.note(packet)
                    if packet.stream_index == stream.index:
                        yield cast("Packet[VideoStream]", packet)
        except FFmpegError:
            yield None

    def _decode(
        self, packets: Iterator[Packet[VideoStream] | None], stream: VideoStream
    ) -> Iterator[tuple[Packet[VideoStream] | None, list[VideoFrame] | None]]:
        """Frames of each packet; None for a damaged one. Frames held back come before a last None.

        So whether the file's end was damaged is told by whether None comes last.
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
        yield None, self._held_back(stream)
        if damaged:
            yield damaged

    @staticmethod
    def _held_back(stream: VideoStream) -> list[VideoFrame]:
        try:
            return stream.codec_context.decode(None)
        except FFmpegError:
            return []

    def _lost(self, first: int, count: int, *, at_beginning: bool) -> None:
        """Count frames that cannot be decoded."""
        where = f"camera {self._camera}: {self._path}"
        if at_beginning:
            frames = "first frame" if count == 1 else f"first {count} frames"
            self.account.lost(
                count,
                f"{where}: its {frames} cannot be decoded: the recording begins between two key"
                " frames, or its beginning is damaged",
            )
        else:
            for index in range(first, first + count):
                self.account.lost(1, f"{where}: frame {index} is damaged")

    def _check_end(self, numbers: FrameNumbers, seen: Seen, *, broken: bool) -> None:
        """A file that ended before its end is said to have done so."""
        readable = numbers.readable
        if readable == 0:
            raise BadInput(f"camera {self._camera}: no frame of {self._path} could be decoded")
        if broken or seen.is_short_of(self._expected, numbers.next, float(self._scale.rate)):
            of = f" of {self._expected.frames}" if self._expected.frames else ""
            if not of and (lasts := self._expected.lasts_s):
                of = f" of {round(lasts * self._scale.rate)}"
            raise BadInput(
                f"camera {self._camera}: {self._path} breaks off after frame {readable - 1}{of};"
                " the file is truncated or damaged"
            )

    def _measure_round(self, frames: int, last_us: int) -> None:
        """How long a round lasts: its last frame is shown as long as the others on average."""
        self._length = frames
        spacing = last_us / (frames - 1) if frames > 1 else self._scale.of_frames(1)
        self._round_us = last_us + max(1, round(spacing))

    def _packet_times(self) -> PacketTimes | None:
        if not self._scale.timed:
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
        # By what their time is taken from: reordered frames that go by their decoding times
        # (AVI) have those of other packets.
        shown = [ticks_of(picture, self._scale) for picture in beginning]
        # Two packets a frame (fields), or packets that show nothing: only decoding counts right.
        return times if shown == times.frames[: len(shown)] else None

    def _open(self) -> AbstractContextManager[tuple[InputContainer, VideoStream]]:
        return open_video(self._camera, self._path, threads=self._reading.threads)
