"""Writes reproducible H.264: equal pictures become equal bytes with the same library version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import av

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class FilmWriter:
    """Writes an MP4 file frame by frame.

    The encoder is libx264 in one thread, without B frames, with a key frame per second. The file
    has no metadata about time and software.
    """

    def __init__(self, path: Path, *, width: int, height: int, fps: int, crf: int) -> None:
        """Open the file.

        Raises:
            Unavailable: The file cannot be written.
        """
        self._closed = False
        try:
            self._container = av.open(
                str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}
            )
        except OSError as error:
            raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error
        self._stream = self._container.add_stream(
            "libx264",
            rate=fps,
            options={
                "preset": "superfast",
                "crf": str(crf),
                "bf": "0",
                "g": str(fps),
                "keyint_min": str(fps),
                "sc_threshold": "0",
                "threads": "1",
                "flags": "+bitexact",
            },
        )
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"

    def add(self, image: NDArray[np.uint8]) -> None:
        """Append a frame, (height, width, 3) uint8 BGR."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder and finish the file; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._container.mux(self._stream.encode())
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
