"""The pictures of a network camera or a device, packet by packet, as they come."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError, InvalidDataError

from openlfr.adapters.capture.answers import what_it_sends
from openlfr.adapters.capture.pictures import pixel_aspect_of
from openlfr.domain.addresses import hide_address, hint_for, shown_address
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    from av import VideoFrame
    from av.container import InputContainer

_RTSP = {"rtsp_transport": "tcp", "allowed_media_types": "video", "probesize": "32"}
"""RTSP alone, since it describes its stream beforehand: nothing need be read to find out. By
default 1 to 5 s are, and `fflags=nobuffer` throws away what was read, the key frame first: the
next one may be seconds off. So the first picture comes after 0.1 s (measured), the others one
frame late: the parser takes a frame for complete when the next one begins."""
_HLS = {"live_start_index": "-1"}  # the newest segment, not the third last
_TIMELESS = ("mpjpeg", "mjpeg", "h264", "hevc", "m4v")  # picture after picture, and no time
_SINGLE = ("image2", "image2pipe", "jpeg_pipe", "png_pipe", "gif_pipe", "bmp_pipe", "webp_pipe")
"""Formats of single pictures: a stream of them has more than one."""
_JUMP_S = 10.0  # further off is no picture's own time


class Frozen(Unavailable):
    """The camera is there, and sends no picture."""


@dataclass(slots=True)
class LiveStream:
    """A camera's address, and what comes from it.

    Attributes:
        camera: Its name, for the sentences.
        url: Its address, password included.
        threads: Of the decoder.
        timeout_s: How long is waited for an answer or a packet.
        fps: The rate that the camera announces; None until it is connected.
        pixel_aspect: Width over height of its pixels, as far as it has said so.
    """

    camera: str
    url: str
    threads: int = 1
    timeout_s: float = 10.0
    fps: float | None = None
    pixel_aspect: Fraction = Fraction(1)
    _heard: float = 0.0  # when something came last
    _came: bool = False  # whether there was a picture

    def packets(self, closed: threading.Event) -> Generator[list[VideoFrame] | None]:
        """Connect, and yield the pictures of each packet, None for a damaged one, until it ends.

        What comes in bursts (HLS, a segment at a time) is given at its own pace.

        Args:
            closed: Ends the waiting for a picture's time; a read ends after `timeout_s`.

        Raises:
            Frozen: Nothing came for `timeout_s`.
            Unavailable: The camera does not answer.
            Misconfigured: Its address can never be read here.
        """
        scheme = self.url.partition("://")[0].lower()
        shown = shown_address(self.url)
        options = _RTSP if scheme in ("rtsp", "rtsps") else {}
        if scheme.startswith("http") and ".m3u8" in self.url:
            options = _HLS
        address, container_format = _library_address(self.camera, self.url)
        self._heard, self._came = monotonic(), False
        try:
            with av.open(
                address, "r", format=container_format, options=options,
                timeout=(self.timeout_s, self.timeout_s), metadata_errors="replace",
            ) as container:  # fmt: skip
                yield from self._at_their_time(container, closed)
        except (FFmpegError, OSError) as error:
            # Interrupted after the timeout, the library raises one thing or another.
            if not self._came and (why := what_it_sends(self.url, timeout_s=self.timeout_s)):
                raise Unavailable(f"camera {self.camera}: {shown} {why}") from None
            if monotonic() - self._heard > self.timeout_s * 0.9:
                raise Frozen(
                    f"camera {self.camera}: {shown} has sent nothing for {self.timeout_s:g} s"
                ) from None
            why = hide_address(error.strerror or type(error).__name__, self.url)
            hint = hint_for(self.url) if "://" in self.url else ""
            what = "broke off" if self._came else "does not answer"
            if not self._came and isinstance(error, InvalidDataError):
                what = "sends what cannot be read as a video"
            # Not `from error`, whose text is the whole address.
            raise Unavailable(f"camera {self.camera}: {shown} {what}: {why}.{hint}") from None
        if not self._came:
            why = what_it_sends(self.url, timeout_s=self.timeout_s) or "ended without a picture"
            raise Unavailable(f"camera {self.camera}: {shown} {why}")

    def _at_their_time(
        self, container: InputContainer, closed: threading.Event
    ) -> Generator[list[VideoFrame] | None]:
        """The pictures of each packet; what comes in bursts is held back until its time."""
        timeless = container.format.name in _TIMELESS
        over_http = self.url.lower().startswith("http")
        pace = _Pace(closed) if over_http and not timeless else None
        alone: list[VideoFrame] | None = None  # a single picture, until another one comes
        self._heard = monotonic()
        for pictures in self._decoded(container):
            self._heard = monotonic()
            if pictures and not self._came and container.format.name in _SINGLE:
                if alone is None:
                    alone = pictures
                    continue
                yield alone
            self._came = self._came or bool(pictures)
            if timeless:
                for picture in pictures or ():
                    picture.pts = None  # the library made it up
            if pace is None or pictures is None:
                yield pictures
            else:
                for picture in pictures:
                    pace.wait_for(picture)
                    yield [picture]

    def _unknown(self) -> str:
        """What the address sends whose format the library knows, and not what is in it."""
        why = what_it_sends(self.url, timeout_s=self.timeout_s)
        return why or "sends a video whose format cannot be recognised"

    def _decoded(self, container: InputContainer) -> Generator[list[VideoFrame] | None]:
        if not container.streams.video:
            shown = shown_address(self.url)
            why = what_it_sends(self.url, timeout_s=self.timeout_s) or "sends no video"
            raise Unavailable(f"camera {self.camera}: {shown} {why}")
        stream = container.streams.video[0]
        if stream.codec_context is None:  # the library's types do not know this
            raise Unavailable(f"camera {self.camera}: {shown_address(self.url)} {self._unknown()}")
        stream.thread_type = "NONE" if self.threads == 1 else "AUTO"
        stream.codec_context.thread_count = self.threads
        self.fps = float(stream.average_rate) if stream.average_rate else None
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except InvalidDataError:
                yield None
                continue
            self.pixel_aspect = pixel_aspect_of(stream)
            yield pictures


class _Pace:
    """Holds pictures back that come before their time; one that says no time is let through."""

    def __init__(self, closed: threading.Event) -> None:
        self._closed = closed
        self._begun: float | None = None  # the clock at time 0 of the pictures

    def wait_for(self, picture: VideoFrame) -> None:
        if picture.pts is None:
            return
        now = monotonic()
        if self._begun is None or abs(self._begun + picture.time - now) > _JUMP_S:
            self._begun = now - picture.time
        self._closed.wait(max(0.0, self._begun + picture.time - now))


def _library_address(camera: str, url: str) -> tuple[str, str | None]:
    """The address and container format as the library wants them."""
    if "://" in url:
        return url, None
    if not sys.platform.startswith("linux"):
        raise Misconfigured(f"camera {camera}: device numbers are understood on Linux only")
    return (f"/dev/video{url}" if url.isdecimal() else url), "video4linux2,v4l2"
