"""Where pictures come from: `open_source()` chooses by the address.

- `video.py`: a video file; frames are numbered and timed by the file alone. `formats.py` opens it,
  `frame_times.py` and `frame_numbers.py` time and number its frames, `endings.py` tells whether it
  was cut off, `recording_date.py` when it was filmed, `pictures.py` turns a frame upright.
- `folder.py`: a folder of JPEG and PNG pictures, in natural order.
- `live.py`: a network camera or a device; frames are timed by the clock. `stream.py` reads one,
  `connection.py` keeps its newest picture.

`account.py` counts what a source did not yield, `lateness.py` tells what waited too long.
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

from openlfr.domain.addresses import CAMERA_SCHEMES, shown_address
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable
from openlfr.ports import CameraSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from openlfr.adapters.capture.account import Account
    from openlfr.domain.frames import Shown, StartOrigin

FROZEN_S = 10.0
"""How long a live camera may send nothing, by default."""
_VIDEO4LINUX = 81  # the major number of its devices
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


class Source(CameraSource, Protocol):
    """A camera source that also accounts for the frames which it did not yield."""

    @property
    def account(self) -> Account:
        """All that was not yielded, counted; as of the frame yielded last."""
        ...

    @property
    def live(self) -> bool:
        """Whether time is the clock's: such a source cannot wait for its reader."""
        ...

    @property
    def start(self) -> datetime:
        """When a file's first frame was captured, UTC; of a live camera when it was opened."""
        ...

    @property
    def start_origin(self) -> StartOrigin:
        """Where that comes from."""
        ...

    @property
    def frame_count(self) -> int | None:
        """How many frames the source says that it has; None where it does not say."""
        ...

    @property
    def lasts(self) -> timedelta | None:
        """From a file's first frame until its last is over; None where it does not say."""
        ...

    @property
    def shown(self) -> Shown | None:
        """What is done to its pictures before they are looked at; None while that is not known."""
        ...

    @property
    def sampled_away(self) -> int:
        """Frames left out so far because fewer per second were asked for."""
        ...

    @property
    def unreadable(self) -> int:
        """Frames so far that could not be decoded."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """A sentence for each of the first hundred things that could not be read."""
        ...


def is_live(url: str) -> bool:
    """Whether the address is a network camera or a device, and no file or folder."""
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
    frozen_after_s: float = FROZEN_S,
    reconnect: bool = True,
    next_epoch: Callable[[int], int] | None = None,
    lost: Callable[[Unavailable, bool], None] = lambda *_: None,
) -> Source:
    """Open a camera, video file or folder of pictures.

    Args:
        camera: Its name; frames carry it.
        url: A path, a file:// address, an rtsp:// or http:// address, or a device's number.
        epoch: Connection or run number that its frames carry.
        start: When frame 0 of a file was captured, UTC; None for the file's own recording date. A
            live camera goes by the clock.
        assumed_start: What is taken where neither says it; None for now.
        fps: Frames a second to yield; None for every frame of a video, 1 for a folder.
        loop: Play a file again and again, with seq and time going on.
        threads: Of the decoder. One is the least work per frame: at 720p 5 ms of CPU and no more
            with two; a second thread helps only where one stream is to be read at full speed.
        frozen_after_s: How long a live camera may send nothing.
        reconnect: Connect to a live camera again when it fails.
        next_epoch: Gives the epoch of each connection of a live camera; see `LiveCamera`.
        lost: Called when a connection of a live camera has failed; see `LiveCamera`.

    Raises:
        BadInput: The file does not exist, is empty or no video; the folder holds no picture; the
            device is no camera.
        Misconfigured: The kind of address is not known.
    """
    from openlfr.adapters.capture.account import Reading
    from openlfr.adapters.capture.folder import PictureFolder
    from openlfr.adapters.capture.live import LiveCamera
    from openlfr.adapters.capture.video import VideoFile

    reading = Reading(camera, epoch, start, assumed_start or datetime.now(UTC), fps, loop, threads)
    if is_live(url):
        _require_camera(camera, url)
        return LiveCamera(
            url,
            reading,
            reconnect=reconnect,
            next_epoch=next_epoch,
            lost=lost,
            frozen_after_s=frozen_after_s,
        )
    path = _local_path(camera, url)
    if path.is_dir():
        return PictureFolder(path, reading)
    if shown_address(url) != url and not os.path.exists(path):  # noqa: PTH110 - whatever is wrong
        raise BadInput(
            f"camera {camera}: {shown_address(url)} does not exist; an address begins with"
            f" {', '.join(f'{s}://' for s in CAMERA_SCHEMES)}"
        )
    return VideoFile(path, reading)


def _local_path(camera: str, url: str) -> Path:
    scheme = _SCHEME.match(url)
    if scheme is None:
        return Path(url)
    if scheme[1].lower() != "file":
        raise Misconfigured(
            f"camera {camera}: {shown_address(url)} is no kind of address that can be opened;"
            f" known are files, folders, {', '.join(f'{s}://' for s in CAMERA_SCHEMES)} and device"
            " numbers"
        )
    return Path(unquote(urlsplit(url).path))


def _require_camera(camera: str, url: str) -> None:
    """Refuse a path in /dev that is there and is no camera: it would be tried for ever.

    One that is not there may be plugged in later.
    """
    if not (url.startswith("/dev/") and sys.platform.startswith("linux")):
        return
    try:
        about = Path(url).stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInput(f"camera {camera}: {url} cannot be read: {error.strerror}") from error
    if not (stat.S_ISCHR(about.st_mode) and os.major(about.st_rdev) == _VIDEO4LINUX):
        raise BadInput(
            f"camera {camera}: {url} is no camera; cameras are /dev/video0 and so on, see"
            " v4l2-ctl --list-devices"
        )
