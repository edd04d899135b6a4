"""A network camera or a device.

This opens it, reads it until it ends and says so. Reconnection with backoff, the newest-frame-wins
reader and the watch for a frozen picture belong to the supervised ingest, which comes next.
"""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from openlfr.adapters.capture.account import Account
from openlfr.adapters.capture.pictures import to_bgr
from openlfr.domain.addresses import mask_password
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_RTSP = {"rtsp_transport": "tcp", "allowed_media_types": "video", "probesize": "32"}
"""RTSP alone, since it describes its stream beforehand: nothing need be read to find out. By
default 1 to 5 s are, and `fflags=nobuffer` throws away what was read, the key frame first: the
next one may be seconds off. So the first picture comes after 0.1 s (measured), the others one
frame late: the parser takes a frame for complete when the next one begins."""


class LiveCamera:
    """A camera whose time is the clock's.

    `seq` counts the decoded frames of this connection; `captured_at` is when a frame was decoded.
    """

    live = True
    frame_count = None

    def __init__(
        self,
        camera: str,
        url: str,
        *,
        epoch: int,
        fps: float | None = None,
        threads: int = 1,
        timeout_s: float = 10.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """See `open_source`; the connection is made by `frames()`.

        It is given up after `timeout_s` seconds without an answer or a frame; `now` is the clock.
        """
        self._camera = camera
        self._url = url
        self._epoch = epoch
        self._wanted = fps
        self._threads = threads
        self._timeout_s = timeout_s
        self._now = now
        self._closed = threading.Event()
        self._account = Account()
        self._fps: float | None = None

    @property
    def fps(self) -> float | None:
        """The rate that the camera announces; None before it is connected."""
        return self._fps

    @property
    def sampled_away(self) -> int:
        """Frames left out so far because fewer per second were asked for."""
        return self._account.sampled_away

    @property
    def unreadable(self) -> int:
        """Packets so far that could not be decoded."""
        return self._account.unreadable

    @property
    def problems(self) -> Sequence[str]:
        """A sentence for each of the first hundred of them."""
        return tuple(self._account.problems)

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Connect and yield frames; `first_seq` is the number of the first one.

        Raises:
            Unavailable: The camera does not answer, or its stream ended.
        """
        address, container_format = _library_address(self._camera, self._url)
        shown = mask_password(self._url)
        options = _RTSP if self._url.lower().startswith("rtsp") else {}
        try:
            with av.open(
                address, "r", format=container_format, options=options,
                timeout=(self._timeout_s, self._timeout_s),
            ) as container:  # fmt: skip
                if not container.streams.video:
                    raise Unavailable(f"camera {self._camera}: {shown} sends no video")
                stream = container.streams.video[0]
                stream.thread_type = "NONE" if self._threads == 1 else "AUTO"
                stream.codec_context.thread_count = self._threads
                self._fps = float(stream.average_rate) if stream.average_rate else None
                seq, next_due = first_seq, monotonic()
                for packet in container.demux(stream):
                    if self._closed.is_set():
                        return
                    try:
                        pictures = packet.decode()
                    except av.error.InvalidDataError:
                        self._account.lost(1, f"camera {self._camera}: a damaged packet arrived")
                        continue
                    for picture in pictures:
                        at, due = self._now(), monotonic()
                        if self._wanted is None or due >= next_due:
                            if self._wanted is not None:
                                next_due = max(next_due + 1 / self._wanted, due)
                            yield Frame(self._camera, self._epoch, seq, at, to_bgr(picture))
                        else:
                            self._account.sampled_away += 1
                        seq += 1
        except (FFmpegError, OSError) as error:
            reason = mask_password(str(error.strerror or error))
            raise Unavailable(
                f"camera {self._camera}: {shown} does not answer: {reason}"
            ) from error
        if not self._closed.is_set():
            raise Unavailable(f"camera {self._camera}: the stream of {shown} ended")

    def close(self) -> None:
        """End the iteration before its next frame, at the latest after the timeout."""
        self._closed.set()


def _library_address(camera: str, url: str) -> tuple[str, str | None]:
    """The address and container format as the library wants them."""
    if "://" in url:
        return url, None
    if not sys.platform.startswith("linux"):
        raise Misconfigured(f"camera {camera}: device numbers are understood on Linux only")
    return (f"/dev/video{url}" if url.isdecimal() else url), "video4linux2,v4l2"
