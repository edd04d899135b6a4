"""Alerts against the films: each frame carries its number in the picture, which says what it shows.

The number is read from the frames on the topic. When a live camera's frame was sent would not do:
on a machine that does not keep up it is read, and so captured, seconds later.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from openlfr.demo.compare import compare
from openlfr.simulate import frame_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.frames import EncodedFrame
    from openlfr.domain.summary import KnownTruth

_EIGHTH = 1 / 8

Shown = dict[tuple[str, int, int], "FilmFrame"]
"""By camera, epoch and seq."""


class FilmFrame(NamedTuple):
    """What a frame shows.

    Attributes:
        loop: Round of the film, from 0.
        number: Of the film's frame.
    """

    loop: int
    number: int


def read_numbers(frames: Iterable[EncodedFrame]) -> Shown:
    """What the frames of all cameras show; those whose number is damaged are left out."""
    found: dict[str, dict[tuple[int, int], int]] = defaultdict(dict)
    for frame in frames:
        if frame.jpeg and (number := _number_in(frame.jpeg)) is not None:
            found[frame.camera][frame.epoch, frame.seq] = number
    shown: Shown = {}
    for camera, numbers in found.items():
        loop = last = 0
        for (epoch, seq), number in sorted(numbers.items()):
            loop += number < last
            last = number
            shown[camera, epoch, seq] = FilmFrame(loop, number)
    return shown


def compare_live(
    films: Mapping[str, Path], events: Iterable[AlertEvent], shown: Shown
) -> KnownTruth:
    """Compare alert events with the films that the cameras sent.

    Passes are those of the first round; an alert of a later round can be wrong, but finds no pass.

    Args:
        films: By camera the folder that holds its truth.
        events: Of those cameras.
        shown: What each frame shows.
    """
    first: list[tuple[AlertEvent, tuple[int, ...]]] = []
    later: list[tuple[AlertEvent, tuple[int, ...]]] = []
    for event in events:
        seen = event.sighting
        frame = shown.get((seen.camera, seen.epoch, seen.seq))
        numbers = () if frame is None else (frame.number,)
        (later if frame is not None and frame.loop else first).append((event, numbers))
    found = compare(films, first)
    return replace(found, wrong=found.wrong + compare(films, later).wrong)


def _number_in(jpeg: bytes) -> int | None:
    # An eighth of its size is what JPEG gives without its cosines, and a cell is a pixel then.
    small = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    return None if small is None else frame_number.read(np.asarray(small, np.uint8), scale=_EIGHTH)
