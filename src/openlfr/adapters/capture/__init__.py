"""Camera sources: `open_source()` chooses the class by the address.

- `video.py`: a video file; frames are numbered and timed by the file alone. `formats.py` opens the
  file, `frame_times.py` and `frame_numbers.py` time and number its frames, `truncation.py` detects
  a file that was cut off, `recording_date.py` reads its date, `pictures.py` orients a frame.
- `folder.py`: a folder of JPEG and PNG pictures, in natural order.
- `live.py`: a network camera or a device; frames are timed by the clock. This module decides when
  to reconnect. `stream.py` reads a connection, `connection.py` buffers the newest picture,
  `http_answer.py` explains an address that sends no video, `lateness.py` measures delays.

`options.py` defines the options of a source, `sampling.py` chooses the frames to analyse,
`counters.py` counts the frames that a source did not yield.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from openlfr.adapters.capture.options import FROZEN_AFTER_S, SourceOptions
from openlfr.domain.addresses import CAMERA_SCHEMES, redact_address
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable
from openlfr.ports import CameraSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from openlfr.adapters.capture.counters import SourceCounters
    from openlfr.domain.frames import DisplayTransform, StartOrigin

__all__ = ["FROZEN_AFTER_S", "Source", "is_live", "open_source"]

_VIDEO4LINUX = 81  # major number of video devices
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


class Source(CameraSource, Protocol):
    """A camera source with counters of the frames that it did not yield."""

    @property
    def counters(self) -> SourceCounters:
        """Counters, up to date with the last yielded frame."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether frames are timed by the clock; a live source cannot wait for its reader."""
        ...

    @property
    def start(self) -> datetime:
        """Capture time of a file's first frame, or the time a live camera was opened; UTC."""
        ...

    @property
    def start_origin(self) -> StartOrigin:
        """Origin of `start`: configured, recorded in the file, assumed, or the clock."""
        ...

    @property
    def frame_count(self) -> int | None:
        """Number of frames that the source declares; None if unknown."""
        ...

    @property
    def duration(self) -> timedelta | None:
        """Time from a file's first frame to the end of its last; None if unknown."""
        ...

    @property
    def display_transform(self) -> DisplayTransform | None:
        """Turning, mirroring, deinterlacing and stretching of pictures; None if unknown."""
        ...

    @property
    def sampled_away(self) -> int:
        """Number of frames skipped so far because `fps` requests fewer."""
        ...

    @property
    def unreadable(self) -> int:
        """Number of frames so far that could not be decoded."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """The first hundred distinct problems, a sentence each."""
        ...


def is_live(url: str) -> bool:
    """Return whether the address is a network camera or a device, not a file or a folder."""
    scheme = _SCHEME.match(url)
    if scheme:
        return scheme[1].lower() in CAMERA_SCHEMES
    return url.isdecimal() or url.startswith("/dev/")


def open_source(
    camera: str,
    url: str,
    *,
    epoch: int,
    start: datetime | None = None,
    assumed_start: datetime | None = None,
    fps: float | None = None,
    loop: bool = False,
    threads: int = 1,
    frozen_after_s: float = FROZEN_AFTER_S,
    reconnect: bool = True,
    next_epoch: Callable[[int], int] | None = None,
    on_connection_lost: Callable[[Unavailable, bool], None] = lambda *_: None,
) -> Source:
    """Open a camera, video file or folder of pictures.

    Args:
        camera: Name of the camera, set on every frame.
        url: A path, a file:// address, an rtsp:// or http:// address, or a device number.
        epoch: Number of the connection or run, set on every frame.
        start: Capture time of frame 0 of a file, UTC; None for the file's own recording date.
            Live cameras are timed by the clock.
        assumed_start: Capture time of frame 0 if `start` is None and the file has no recording
            date; None for the current time.
        fps: Frames per second to yield. None yields every frame of a video, and one picture per
            second of a folder.
        loop: Play a file repeatedly; `seq` and time continue.
        threads: Number of decoder threads. One thread costs 5 ms of CPU per frame at 720p; two
            cost the same, and help only to read one stream at full speed.
        frozen_after_s: Time without data after which a live camera counts as frozen.
        reconnect: Reconnect to a live camera after a failure.
        next_epoch: Returns the epoch of each connection of a live camera; see `LiveCamera`.
        on_connection_lost: Called when a connection of a live camera fails; see `LiveCamera`.

    Raises:
        BadInput: The file does not exist, is empty or is no video, the folder has no picture, or
            the device is no camera.
        Misconfigured: The kind of address is unknown.
    """
    # Local imports, since PyAV and OpenCV are slow to import.
    from openlfr.adapters.capture.folder import PictureFolder
    from openlfr.adapters.capture.live import LiveCamera
    from openlfr.adapters.capture.video import VideoFile

    options = SourceOptions(
        camera, epoch, start, assumed_start or datetime.now(UTC), fps, loop, threads
    )
    if is_live(url):
        _require_camera(camera, url)
        return LiveCamera(
            url,
            options,
            reconnect=reconnect,
            next_epoch=next_epoch,
            on_connection_lost=on_connection_lost,
            frozen_after_s=frozen_after_s,
        )
    path = _local_path(camera, url)
    if path.is_dir():
        return PictureFolder(path, options)
    if redact_address(url) != url and not os.path.exists(path):  # noqa: PTH110 - it never raises
        raise BadInput(
            f"camera {camera}: {redact_address(url)} does not exist; an address begins with"
            f" {', '.join(f'{s}://' for s in CAMERA_SCHEMES)}"
        )
    return VideoFile(path, options)


def _local_path(camera: str, url: str) -> Path:
    scheme = _SCHEME.match(url)
    if scheme is None:
        return Path(url)
    if scheme[1].lower() != "file":
        raise Misconfigured(
            f"camera {camera}: {redact_address(url)} is not a supported address; supported are"
            f" files, folders, {', '.join(f'{s}://' for s in CAMERA_SCHEMES)} and device numbers"
        )
    return Path(unquote(urlsplit(url).path))


def _require_camera(camera: str, url: str) -> None:
    """Raise BadInput for an existing path in /dev that is no camera.

    Otherwise that path would be retried for ever. A missing path is accepted, since the device may
    be plugged in later.
    """
    if not (url.startswith("/dev/") and sys.platform.startswith("linux")):
        return
    try:
        status = Path(url).stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInput(f"camera {camera}: {url} cannot be read: {error.strerror}") from error
    if not (stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) == _VIDEO4LINUX):
        raise BadInput(
            f"camera {camera}: {url} is no camera. Cameras are /dev/video0 and so on; list them"
            " with v4l2-ctl --list-devices"
        )
