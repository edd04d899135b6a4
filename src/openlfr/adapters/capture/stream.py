"""Reads the pictures of a network camera or a device, packet by packet, as they arrive."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError, InvalidDataError

from openlfr.adapters.capture.http_answer import explain_http_answer
from openlfr.adapters.capture.pictures import read_pixel_aspect
from openlfr.domain.addresses import redact_address, redact_address_in, spelling_hint
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    from av import VideoFrame
    from av.container import InputContainer

_RTSP = {"rtsp_transport": "tcp", "allowed_media_types": "video", "probesize": "32"}
"""Options for RTSP, which describes its stream in advance, so that no probing is needed.

By default the library probes for 1 to 5 s. `fflags=nobuffer` would discard the probed packets, with
the key frame, and the next key frame may be seconds away. With these options the first picture
arrives after 0.1 s (measured). Each later picture is one frame late: the parser completes a frame
when the next frame begins."""
_HLS = {"live_start_index": "-1"}  # begin with the newest segment, not the third from the end
_TIMELESS = ("mpjpeg", "mjpeg", "h264", "hevc", "m4v")  # formats without presentation times
_SINGLE = ("image2", "image2pipe", "jpeg_pipe", "png_pipe", "gif_pipe", "bmp_pipe", "webp_pipe")
"""Formats of single pictures; only a second picture proves that a stream is a video."""
_JUMP_S = 10.0  # a picture's time that is further from the clock restarts the pace


class CameraFrozen(Unavailable):
    """The camera is connected but sends no picture."""


@dataclass(slots=True)
class LiveStream:
    """Connects to a camera's address and decodes its stream.

    Attributes:
        camera: Name of the camera, for messages.
        url: Address of the camera, password included.
        threads: Number of decoder threads.
        timeout_s: Timeout for an answer or a packet.
        fps: Frame rate that the camera declares; None before the connection.
        pixel_aspect: Width of a pixel divided by its height; 1 until the stream declares it.
    """

    camera: str
    url: str
    threads: int = 1
    timeout_s: float = 10.0
    fps: float | None = None
    pixel_aspect: Fraction = Fraction(1)
    _last_packet_at: float = 0.0
    _has_picture: bool = False

    def packets(self, closed: threading.Event) -> Generator[list[VideoFrame] | None]:
        """Connect, and yield the pictures of each packet, or None for a damaged packet.

        HLS sends a whole segment at once; its pictures are yielded at the pace of their own times.

        Args:
            closed: Event that ends the wait for a picture's time. It does not end a read, which
                ends after `timeout_s`.

        Raises:
            CameraFrozen: The camera sent nothing for `timeout_s`.
            Unavailable: The camera does not answer, or its stream cannot be read.
            Misconfigured: The address can never be read on this machine.
        """
        scheme = self.url.partition("://")[0].lower()
        shown = redact_address(self.url)
        options = _RTSP if scheme in ("rtsp", "rtsps") else {}
        if scheme.startswith("http") and ".m3u8" in self.url:
            options = _HLS
        address, container_format = _library_address(self.camera, self.url)
        self._last_packet_at, self._has_picture = monotonic(), False
        try:
            with av.open(
                address, "r", format=container_format, options=options,
                timeout=(self.timeout_s, self.timeout_s), metadata_errors="replace",
            ) as container:  # fmt: skip
                yield from self._paced_pictures(container, closed)
        except (FFmpegError, OSError) as error:
            # After a timeout the library raises various exceptions, so check the clock instead.
            if not self._has_picture:
                why = explain_http_answer(self.url, timeout_s=self.timeout_s)
                if why:
                    raise Unavailable(f"camera {self.camera}: {shown} {why}") from None
            if monotonic() - self._last_packet_at > self.timeout_s * 0.9:
                raise CameraFrozen(
                    f"camera {self.camera}: {shown} has sent nothing for {self.timeout_s:g} s"
                ) from None
            why = redact_address_in(error.strerror or type(error).__name__, self.url)
            hint = spelling_hint(self.url) if "://" in self.url else ""
            what = "broke off" if self._has_picture else "does not answer"
            if not self._has_picture and isinstance(error, InvalidDataError):
                what = "sends data that cannot be read as a video"
            # Not `from error`: its text contains the whole address, with the password.
            raise Unavailable(f"camera {self.camera}: {shown} {what}: {why}.{hint}") from None
        if not self._has_picture:
            why = (
                explain_http_answer(self.url, timeout_s=self.timeout_s) or "ended without a picture"
            )
            raise Unavailable(f"camera {self.camera}: {shown} {why}")

    def _paced_pictures(
        self, container: InputContainer, closed: threading.Event
    ) -> Generator[list[VideoFrame] | None]:
        """Yield the pictures of each packet; delay pictures that arrive in bursts."""
        timeless = container.format.name in _TIMELESS
        over_http = self.url.lower().startswith("http")
        pace = _Pace(closed) if over_http and not timeless else None
        first: list[VideoFrame] | None = None  # in a single-picture format: waits for a second
        self._last_packet_at = monotonic()
        for pictures in self._decode(container):
            self._last_packet_at = monotonic()
            if pictures and not self._has_picture and container.format.name in _SINGLE:
                if first is None:
                    first = pictures
                    continue
                yield first
            self._has_picture = self._has_picture or bool(pictures)
            if timeless:
                for picture in pictures or ():
                    picture.pts = None  # the library invented the time
            if pace is None or pictures is None:
                yield pictures
            else:
                for picture in pictures:
                    pace.wait_for(picture)
                    yield [picture]

    def _unknown_codec(self) -> Unavailable:
        """Return the error for a video with an unknown codec."""
        why = explain_http_answer(self.url, timeout_s=self.timeout_s)
        why = why or "sends a video whose format is not recognised"
        return Unavailable(f"camera {self.camera}: {redact_address(self.url)} {why}")

    def _decode(self, container: InputContainer) -> Generator[list[VideoFrame] | None]:
        if not container.streams.video:
            shown = redact_address(self.url)
            why = explain_http_answer(self.url, timeout_s=self.timeout_s) or "sends no video"
            raise Unavailable(f"camera {self.camera}: {shown} {why}")
        stream = container.streams.video[0]
        if stream.codec_context is None:  # an unknown codec; the library's types do not declare it
            raise self._unknown_codec()
        stream.thread_type = "NONE" if self.threads == 1 else "AUTO"
        stream.codec_context.thread_count = self.threads
        self.fps = float(stream.average_rate) if stream.average_rate else None
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except InvalidDataError:
                yield None
                continue
            self.pixel_aspect = read_pixel_aspect(stream)
            yield pictures


class _Pace:
    """Delays pictures that arrive before their time; a picture without a time is not delayed."""

    def __init__(self, closed: threading.Event) -> None:
        self._closed = closed
        self._zero_at: float | None = None  # the clock at time 0 of the pictures

    def wait_for(self, picture: VideoFrame) -> None:
        if picture.pts is None:
            return
        now = monotonic()
        if self._zero_at is None or abs(self._zero_at + picture.time - now) > _JUMP_S:
            self._zero_at = now - picture.time
        self._closed.wait(max(0.0, self._zero_at + picture.time - now))


def _library_address(camera: str, url: str) -> tuple[str, str | None]:
    """Return the address and the container format to pass to the library."""
    if "://" in url:
        return url, None
    if not sys.platform.startswith("linux"):
        raise Misconfigured(f"camera {camera}: device numbers are supported on Linux only")
    return (f"/dev/video{url}" if url.isdecimal() else url), "video4linux2,v4l2"
