"""A folder of pictures as a camera."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.adapters.capture.account import Accounted, Reading
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame, StartOrigin
from openlfr.files import PICTURE_BYTES, read_file
from openlfr.stages.decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = (".jpg", ".jpeg", ".png")
_DIGITS = re.compile(r"(\d+)")


class PictureFolder(Accounted):
    """The JPEG and PNG pictures of a folder in natural order ("2" before "10").

    Every picture has its seq, a corrupt one too: it is left out, counted and named, and the
    others keep their numbers and times.
    """

    live = False

    def __init__(self, folder: Path, reading: Reading) -> None:
        """See `open_source`.

        Raises:
            BadInput: The folder holds no JPEG or PNG, or cannot be read.
        """
        super().__init__()
        camera = reading.camera
        try:
            found = [p for p in folder.iterdir() if _is_picture(p)]
        except OSError as error:
            raise BadInput(f"camera {camera}: {folder} cannot be read: {error.strerror}") from error
        if not found:
            raise BadInput(f"camera {camera}: {folder} holds no JPEG or PNG picture")
        self._files = sorted(found, key=lambda path: _natural(path.name))
        self._camera = camera
        self._reading = reading
        self._fps = reading.fps or 1.0
        self._closed = threading.Event()
        # Pictures say when they were taken without saying in which time zone.
        self.start = reading.start or reading.assumed_start
        self.start_origin = StartOrigin.CONFIGURED if reading.start else StartOrigin.ASSUMED

    shown = None
    """Pictures are shown as their EXIF says, and nothing else is done to them."""

    @property
    def lasts(self) -> timedelta:
        """From the first picture until the last is over."""
        return timedelta(seconds=len(self._files) / self._fps)

    @property
    def fps(self) -> float:
        """Pictures a second, as set; 1 by default."""
        return self._fps

    @property
    def frame_count(self) -> int:
        """How many pictures there are, corrupt ones included."""
        return len(self._files)

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Yield the pictures from `first_seq` on; with `loop` without end."""
        for frame, _ in self.with_content(first_seq=first_seq):
            yield frame

    def with_content(self, *, first_seq: int = 0) -> Iterator[tuple[Frame, bytes]]:
        """Yield each picture as `frames` does, and the file's content beside it."""
        seq = first_seq
        good_ones = 0
        while not self._closed.is_set() and (self._reading.loop or seq < len(self._files)):
            path = self._files[seq % len(self._files)]
            try:
                content = read_file(path, at_most=PICTURE_BYTES)
                image = decode(content, str(path))
            except BadInput as error:
                self.account.lost(1, f"camera {self._camera}: {error}")
            else:
                good_ones += 1
                yield self._frame(seq, image), content
            seq += 1
            if seq % len(self._files) == 0 and not good_ones:
                raise BadInput(f"camera {self._camera}: no picture could be decoded")

    def close(self) -> None:
        """End the iteration before its next picture."""
        self._closed.set()

    def _frame(self, seq: int, image: NDArray[np.uint8]) -> Frame:
        try:
            at = self.start + timedelta(microseconds=round(seq * 1_000_000 / self._fps))
        except OverflowError:
            raise BadInput(
                f"camera {self._camera}: picture {seq} lies beyond the year 9999; set fps"
            ) from None
        assumed = self.start_origin is StartOrigin.ASSUMED
        return Frame(self._camera, self._reading.epoch, seq, at, image, time_assumed=assumed)


def _is_picture(path: Path) -> bool:
    """By its name: what then is no file to read is counted and named, not passed over."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir()


def _natural(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """A sort key under which numbers in a name count as numbers."""
    parts = _DIGITS.split(name.casefold())
    return [(False, int(p), "") if p.isdecimal() else (True, 0, p) for p in parts if p], name
