"""Draws one camera's view of the street, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box
from openlfr.simulate.backdrop import draw_backdrop
from openlfr.simulate.figures import compute_face_area, draw_figure
from openlfr.simulate.frame_number import burn_number
from openlfr.simulate.portraits import Portrait, cut_portrait, find_face, read_photo
from openlfr.simulate.truth import FaceTruth
from openlfr.simulate.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from openlfr.ports import FaceDetector
    from openlfr.simulate.options import StreetOptions
    from openlfr.simulate.walks import FacePosition, Walk


class Shot(NamedTuple):
    """One frame with its truth.

    Attributes:
        n: Number of the frame.
        image: (height, width, 3) uint8 BGR, with the burnt-in number.
        light: Brightness factor of the whole picture; 1 is normal.
        faces: Faces from the farthest to the nearest.
    """

    n: int
    image: NDArray[np.uint8]
    light: float
    faces: tuple[FaceTruth, ...]


class Street:
    """Draws the planned walks of one camera.

    Attributes:
        walks: Walks that can be drawn.
        problems: Reasons why other walks cannot be drawn, a sentence each.
    """

    def __init__(
        self,
        options: StreetOptions,
        camera: str,
        walks: Sequence[Walk],
        detector: Callable[[], FaceDetector],
    ) -> None:
        self._options = options
        number = options.cameras.index(camera)
        rng = np.random.default_rng([options.seed, number, 1])
        self._backdrop = draw_backdrop(rng, options.width, options.height)
        self._weather = Weather(options, rng)
        self._portraits: dict[int, Portrait] = {}
        self.problems: list[str] = []
        drawable = []
        for walk in walks:
            try:
                image = read_photo(walk.photo)
                face = find_face(image, detector)
                self._portraits[walk.track] = cut_portrait(image, face, gain=walk.gain)
            except BadInput as error:
                self.problems.append(f"{walk.photo} cannot be drawn at {camera}: {error}")
            else:
                drawable.append(walk)
        self.walks = tuple(drawable)

    def shots(self) -> Iterator[Shot]:
        """Yield every frame in order; an image is valid until the next frame."""
        for n in range(self._options.frames):
            yield self.shot(n)

    def shot(self, n: int) -> Shot:
        """Draw frame `n`; the result does not depend on earlier calls."""
        options = self._options
        canvas = self._backdrop.copy()
        owners = np.zeros(canvas.shape[:2], np.uint8)
        walkers = [
            (position, walk) for walk in self.walks if (position := walk.position(n, options))
        ]
        walkers.sort(key=lambda pair: (pair[0].px, pair[1].track))
        walkers = walkers[-255:]  # the nearest 255: `owners` has 8 bits
        motions = []
        for owner, (position, walk) in enumerate(walkers, 1):
            previous = walk.position(n - 1, options) or position
            motion = (
                (position.x - previous.x) * options.shutter,
                (position.y - previous.y) * options.shutter,
            )
            motions.append(motion)
            portrait = self._portraits[walk.track]
            draw_figure(canvas, owners, owner, walk, portrait, position, motion)
        faces = tuple(
            _face_truth(walk, position, motion, owners, owner)
            for owner, ((position, walk), motion) in enumerate(
                zip(walkers, motions, strict=True), 1
            )
        )
        image = self._weather.apply(canvas, n)
        burn_number(image, n)
        return Shot(n, image, self._weather.light(n), faces)


def _face_truth(
    walk: Walk,
    position: FacePosition,
    motion: tuple[float, float],
    owners: NDArray[np.uint8],
    owner: int,
) -> FaceTruth:
    x, y, px, _ = position
    rows = slice(max(int(y - px - 9), 0), max(int(y + px + 9), 0))
    columns = slice(max(int(x - px - 9), 0), max(int(x + px + 9), 0))
    visible_pixels = int(np.count_nonzero(owners[rows, columns] == owner))
    return FaceTruth(
        track=walk.track,
        person=walk.person,
        listed=walk.listed,
        box=Box(x - px / 2, y - px / 2, px, px),
        visible=min(visible_pixels / compute_face_area(px), 1.0),
        blur=float(np.hypot(*motion)),
        px=px,
    )
