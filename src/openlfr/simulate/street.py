"""A camera's street, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box
from openlfr.simulate import frame_number
from openlfr.simulate.backdrop import draw_backdrop
from openlfr.simulate.figures import draw_figure, face_area
from openlfr.simulate.portraits import Portrait, cut_portrait, find_face, read_photo
from openlfr.simulate.truth import FaceTruth
from openlfr.simulate.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from openlfr.ports import FaceDetector
    from openlfr.simulate.options import StreetOptions
    from openlfr.simulate.walks import Place, Walk


class Shot(NamedTuple):
    """One frame and what is true of it.

    Attributes:
        image: (height, width, 3) uint8 BGR, with its number burnt in.
        light: Brightness of the whole picture, 1 is normal.
        faces: From the farthest to the nearest.
    """

    n: int
    image: NDArray[np.uint8]
    light: float
    faces: tuple[FaceTruth, ...]


class Street:
    """What one camera sees of the walks planned for it.

    Attributes:
        walks: Those that can be drawn.
        problems: Why the others cannot, a sentence each.
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
                self.problems.append(f"{walk.photo} does not walk at {camera}: {error}")
            else:
                drawable.append(walk)
        self.walks = tuple(drawable)

    def shots(self) -> Iterator[Shot]:
        """Every frame in order. An image is valid until the next is asked for."""
        for n in range(self._options.frames):
            yield self.shot(n)

    def shot(self, n: int) -> Shot:
        """Frame `n`, the same whether or not others were made before it."""
        options = self._options
        canvas = self._backdrop.copy()
        owners = np.zeros(canvas.shape[:2], np.uint8)
        here = [(place, walk) for walk in self.walks if (place := walk.at(n, options))]
        here.sort(key=lambda pair: (pair[0].px, pair[1].track))
        here = here[-255:]  # as many as `owners` can tell apart; the farthest go
        motions = []
        for owner, (place, walk) in enumerate(here, 1):
            before = walk.at(n - 1, options) or place
            motion = (
                (place.x - before.x) * options.shutter,
                (place.y - before.y) * options.shutter,
            )
            motions.append(motion)
            portrait = self._portraits[walk.track]
            draw_figure(canvas, owners, owner, walk, portrait, place, motion)
        faces = tuple(
            _truth(walk, place, motion, owners, owner)
            for owner, ((place, walk), motion) in enumerate(zip(here, motions, strict=True), 1)
        )
        image = self._weather.fall_on(canvas, n)
        frame_number.burn(image, n)
        return Shot(n, image, self._weather.light(n), faces)


def _truth(
    walk: Walk,
    place: Place,
    motion: tuple[float, float],
    owners: NDArray[np.uint8],
    owner: int,
) -> FaceTruth:
    x, y, px, _ = place
    rows = slice(max(int(y - px - 9), 0), max(int(y + px + 9), 0))
    columns = slice(max(int(x - px - 9), 0), max(int(x + px + 9), 0))
    seen = int(np.count_nonzero(owners[rows, columns] == owner))
    return FaceTruth(
        track=walk.track,
        person=walk.person,
        listed=walk.listed,
        box=Box(x - px / 2, y - px / 2, px, px),
        visible=min(seen / face_area(px), 1.0),
        blur=float(np.hypot(*motion)),
        px=px,
    )
