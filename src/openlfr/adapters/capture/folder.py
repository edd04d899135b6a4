"""A folder of pictures as a camera source."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.adapters.capture.counters import SourceWithCounters
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame, StartOrigin
from openlfr.files import MAX_PICTURE_BYTES, read_file
from openlfr.stages.decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from openlfr.adapters.capture.options import SourceOptions

SUFFIXES = (".jpg", ".jpeg", ".png")
_DIGITS = re.compile(r"(\d+)")


class PictureFolder(SourceWithCounters):
    """The JPEG and PNG pictures of a folder in natural order ("2" before "10").

    A corrupt picture has a `seq` too. It is skipped, counted and reported by name; the numbers and
    times of the other pictures do not change.
    """

    is_live = False

    def __init__(self, folder: Path, options: SourceOptions) -> None:
        """List the folder; `open_source` explains the options.

        Raises:
            BadInput: The folder has no JPEG or PNG, or cannot be read.
        """
        super().__init__()
        camera = options.camera
        try:
            files = [path for path in folder.iterdir() if _is_picture(path)]
        except OSError as error:
            raise BadInput(f"camera {camera}: {folder} cannot be read: {error.strerror}") from error
        if not files:
            raise BadInput(f"camera {camera}: {folder} contains no JPEG or PNG picture")
        self._files = sorted(files, key=lambda path: _natural_key(path.name))
        self._camera = camera
        self._options = options
        self._fps = options.fps or 1.0
        self._closed = threading.Event()
        # EXIF is not used: it records the time of a picture without a time zone.
        self.start = options.start or options.assumed_start
        self.start_origin = StartOrigin.CONFIGURED if options.start else StartOrigin.ASSUMED

    display_transform = None
    """None, since pictures are only oriented by their EXIF."""

    @property
    def duration(self) -> timedelta:
        """Duration from the first picture to the end of the last picture."""
        return timedelta(seconds=len(self._files) / self._fps)

    @property
    def fps(self) -> float:
        """Configured number of pictures per second; 1 by default."""
        return self._fps

    @property
    def frame_count(self) -> int:
        """Number of pictures, corrupt ones included."""
        return len(self._files)

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield the pictures from `first_seq` on; endless with `loop`."""
        for frame, _ in self.frames_with_content(first_seq=first_seq):
            yield frame

    def frames_with_content(self, *, first_seq: int = 0) -> Iterator[tuple[Frame, bytes]]:
        """Yield the same frames as `frames`, each with the content of its file."""
        seq = first_seq
        decoded = 0
        while not self._closed.is_set() and (self._options.loop or seq < len(self._files)):
            path = self._files[seq % len(self._files)]
            try:
                content = read_file(path, max_bytes=MAX_PICTURE_BYTES)
                image = decode(content, str(path))
            except BadInput as error:
                self.counters.count_unreadable(1, f"camera {self._camera}: {error}")
            else:
                decoded += 1
                yield self._frame(seq, image), content
            seq += 1
            if seq % len(self._files) == 0 and not decoded:
                raise BadInput(f"camera {self._camera}: no picture could be decoded")

    def close(self) -> None:
        """End the iteration before its next picture."""
        self._closed.set()

    def _frame(self, seq: int, image: NDArray[np.uint8]) -> Frame:
        try:
            at = self.start + timedelta(microseconds=round(seq * 1_000_000 / self._fps))
        except OverflowError:
            raise BadInput(
                f"camera {self._camera}: picture {seq} would be dated after the year 9999; set fps"
            ) from None
        assumed = self.start_origin is StartOrigin.ASSUMED
        return Frame(self._camera, self._options.epoch, seq, at, image, time_assumed=assumed)


def _is_picture(path: Path) -> bool:
    """Return whether the file's name is a picture's; the content is checked on decoding."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir()


def _natural_key(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """Return a sort key that compares numbers in a name as numbers."""
    parts = _DIGITS.split(name.casefold())
    return [(False, int(p), "") if p.isdecimal() else (True, 0, p) for p in parts if p], name
