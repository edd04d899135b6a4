"""Positions of walkers, computed from the frame number alone, so frames can be drawn singly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from openlfr.simulate.options import StreetOptions

_HORIZON = 0.34  # y of faces at an infinite distance, as a share of the picture's height
_DROP = 0.75  # distance of a face below the horizon, in face widths: the camera is above the heads
_SWAY, _BOB = 0.05, 0.04  # movements of the head, in face widths
_ALONG_VIEW = 0.5  # share of walks along the camera's direction
_GOING_AWAY = 0.15  # share of these walks that lead away from the camera


class FacePosition(NamedTuple):
    """Position of a walker's face in one frame.

    Attributes:
        x, y: Centre of the face, pixels.
        px: Width of the face, pixels.
        swing: Swing of legs and arms, -1 to 1.
    """

    x: float
    y: float
    px: float
    swing: float


@dataclass(frozen=True, slots=True)
class Walk:
    """One pass of one person before one camera.

    Attributes:
        track: Number of the pass at its camera, from 0.
        camera: Name of the camera.
        person: Name of the person.
        listed: Whether the person is on the watchlist.
        photo: Photo to draw; never a reference.
        start: First frame of the pass; negative if the pass begins before the video.
        frames: Duration of the pass, frames.
        x_from, x_to: Horizontal centre of the face at both ends, pixels.
        px_from, px_to: Width of the face at both ends, pixels.
        cadence: Steps per second.
        phase: Phase of the steps, radians.
        gain: Brightness factor of the face.
        tilt: Sideways nod of the head, degrees.
        coat, trousers: Colours, BGR, 0 to 255.
    """

    track: int
    camera: str
    person: str
    listed: bool
    photo: Path
    start: int
    frames: int
    x_from: float
    x_to: float
    px_from: float
    px_to: float
    cadence: float
    phase: float
    gain: float
    tilt: float
    coat: tuple[float, float, float]
    trousers: tuple[float, float, float]

    @property
    def end(self) -> int:
        """The last frame of the pass."""
        return self.start + self.frames

    def position(self, n: int, options: StreetOptions) -> FacePosition | None:
        """Return the position of the face in frame `n`; None before and after the pass.

        The speed in depth is constant, so the inverse of the face's width is linear in time (a
        pinhole camera). The head moves up and down with the steps.
        """
        share = (n - self.start) / self.frames
        if not 0 <= share <= 1:
            return None
        px = 1 / ((1 - share) / self.px_from + share / self.px_to)
        steps = 2 * math.pi * self.cadence * (n - self.start) / options.fps
        swing = math.sin(steps / 2 + self.phase)
        x = self.x_from + (self.x_to - self.x_from) * share + _SWAY * px * swing
        y = _HORIZON * options.height + _DROP * px + _BOB * px * math.sin(steps + self.phase)
        return FacePosition(x, y, px, swing)


def make_walk(
    rng: np.random.Generator,
    options: StreetOptions,
    *,
    track: int,
    camera: str,
    person: str,
    listed: bool,
    photo: Path,
    start: int,
) -> Walk:
    """Make a random pass along the camera's direction, or across it at a constant distance."""
    low, high, width = options.min_px, options.max_px, options.width
    if rng.random() < _ALONG_VIEW:
        px_from, px_to = float(low), float(high)
        x_from, x_to = rng.uniform(0.3, 0.7) * width, rng.uniform(0.05, 0.95) * width
        if rng.random() < _GOING_AWAY:
            px_from, px_to = px_to, px_from
    else:
        px_from = px_to = float(rng.uniform(low, max(low, high * 0.8)))
        x_from, x_to = -0.08 * width, 1.08 * width
        if rng.random() < 0.5:
            x_from, x_to = x_to, x_from
    coat = rng.uniform(40, 170) * rng.uniform(0.75, 1.25, 3)
    trousers = rng.uniform(30, 95) * rng.uniform(0.85, 1.15, 3)
    return Walk(
        track=track,
        camera=camera,
        person=person,
        listed=listed,
        photo=photo,
        start=start,
        frames=max(2, round(options.fps * rng.uniform(6, 12))),
        x_from=float(x_from),
        x_to=float(x_to),
        px_from=px_from,
        px_to=px_to,
        cadence=float(rng.uniform(1.6, 2.2)),
        phase=float(rng.uniform(0, 2 * math.pi)),
        gain=float(rng.uniform(0.7, 1.12)),
        tilt=float(rng.normal(0, 4)),
        coat=(float(coat[0]), float(coat[1]), float(coat[2])),
        trousers=(float(trousers[0]), float(trousers[1]), float(trousers[2])),
    )
