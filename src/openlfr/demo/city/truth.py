"""Compares alerts with the films by the frame number that is burnt into each picture.

The number is read from the frames on the topic. The capture time would not identify a frame: the
capture time is the time of reading, and a machine that does not keep up reads a live camera's frame
seconds after the camera sent the frame.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from openlfr.demo.compare import compare
from openlfr.simulate.frame_number import read_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.frames import EncodedFrame
    from openlfr.domain.summary import KnownTruth

_EIGHTH = 1 / 8

FilmFrames = dict[tuple[str, int, int], "FilmFrame"]
"""Film frames by camera, epoch and seq."""


class FilmFrame(NamedTuple):
    """The frame of a film that a camera sent.

    Attributes:
        loop: Number of the film's playback, from 0.
        number: Number of the frame in the film.
    """

    loop: int
    number: int


def read_numbers(frames: Iterable[EncodedFrame]) -> FilmFrames:
    """Return the film frame of each camera frame whose burnt-in number is readable."""
    by_camera: dict[str, dict[tuple[int, int], int]] = defaultdict(dict)
    for frame in frames:
        if frame.jpeg and (number := _read_number(frame.jpeg)) is not None:
            by_camera[frame.camera][frame.epoch, frame.seq] = number
    film_frames: FilmFrames = {}
    for camera, numbers in by_camera.items():
        loop = last = 0
        for (epoch, seq), number in sorted(numbers.items()):
            loop += number < last
            last = number
            film_frames[camera, epoch, seq] = FilmFrame(loop, number)
    return film_frames


def compare_live(
    films: Mapping[str, Path], events: Iterable[AlertEvent], film_frames: FilmFrames
) -> KnownTruth:
    """Count the found and missed passes, and the wrong alerts, in the films that cameras sent.

    Only passes of the first playback count as found. An alert in a later playback counts only if
    this alert is wrong. An alert whose frame has no readable number counts as wrong.

    Args:
        films: Folder with the truth, by camera.
        events: Alert events of these cameras.
        film_frames: Film frame of each camera frame.
    """
    first: list[tuple[AlertEvent, tuple[int, ...]]] = []
    later: list[tuple[AlertEvent, tuple[int, ...]]] = []
    for event in events:
        sighting = event.sighting
        frame = film_frames.get((sighting.camera, sighting.epoch, sighting.seq))
        numbers = () if frame is None else (frame.number,)
        (later if frame is not None and frame.loop else first).append((event, numbers))
    result = compare(films, first)
    return replace(result, wrong=result.wrong + compare(films, later).wrong)


def _read_number(jpeg: bytes) -> int | None:
    # At an eighth of its size a JPEG is decoded without inverse DCT, and a cell is one pixel.
    small = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    return None if small is None else read_number(np.asarray(small, np.uint8), scale=_EIGHTH)
