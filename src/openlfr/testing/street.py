"""Drawn people in front of a camera, and a detector and an embedder that recognise them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain.faces import Box, Detection
from openlfr.domain.frames import Frame
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template
from openlfr.domain.watchlist import ManifestEntry
from openlfr.stages.align import align
from openlfr.stages.track import looks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    Walk = Callable[[int], Box | None]

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""Capture time of a street's frame 0."""
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
WIDTH, HEIGHT = 640, 360
FPS = 10
_LANDMARKS = np.array([[0.32, 0.38], [0.68, 0.38], [0.5, 0.6], [0.36, 0.78], [0.64, 0.78]])


def portrait(person: str) -> NDArray[np.uint8]:
    """Draw a person as a sharp, unique pattern: (96, 96, 3) uint8 BGR."""
    rng = np.random.default_rng(list(person.encode()))
    pattern = rng.integers(20, 235, (12, 12, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(pattern, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8)


def detection_of(box: Box, score: float = 0.9) -> Detection:
    """Return a detection of an upright face in a box."""
    landmarks = (_LANDMARKS * (box.w, box.h) + (box.x, box.y)).astype(np.float32)
    return Detection(box, landmarks, score)


def standing_at(x: float, size: float = 60, *, y: float = 100, until: int = 10**6) -> Walk:
    """Return the walk of a person who stands at one place (pixels) until a frame number."""
    return lambda number: Box(x, y, size, size * 1.2) if number < until else None


class DrawnStreet:
    """A camera's frames; a pixel contains the frame number, which `DrawnDetector` reads."""

    def __init__(self, camera: str, *, blur: float = 0.0, **people: Walk) -> None:
        """Make a street.

        Args:
            camera: Name of the camera; streets must differ in its first three letters.
            blur: Standard deviation of a Gaussian blur of each person, pixels; 0 for no blur.
            people: Walk of each person by name: a function that returns the face's box in a frame,
                or None in frames without the face.
        """
        self.camera = camera
        self._people = people
        self._blur = blur

    def boxes(self, number: int) -> dict[str, Box]:
        """Return each visible person's face box in a frame, pixels."""
        found = {person: walk(number) for person, walk in self._people.items()}
        return {person: box for person, box in found.items() if box is not None}

    def frame(self, number: int, epoch: int = 1) -> Frame:
        """Draw a frame: (360, 640, 3) uint8 BGR."""
        image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        for person, box in self.boxes(number).items():
            x, y, w, h = (round(value) for value in box)
            drawn = cv2.resize(portrait(person), (w, h), interpolation=cv2.INTER_AREA)
            if self._blur:
                drawn = cv2.GaussianBlur(drawn, (0, 0), self._blur)
            left, top = max(x, 0), max(y, 0)
            part = image[top : y + h, left : x + w]
            part[...] = drawn[top - y :, left - x :][: part.shape[0], : part.shape[1]]
        image[0, 0] = number, epoch, len(self.camera)
        image[0, 1] = list(self.camera.encode()[:3].ljust(3))
        return Frame(self.camera, epoch, number, START + timedelta(seconds=number / FPS), image)

    def frames(self, count: int, epoch: int = 1) -> list[Frame]:
        """Draw the first `count` frames."""
        return [self.frame(number, epoch) for number in range(count)]


class DrawnDetector:
    """A `FaceDetector` that detects the drawn faces of streets.

    Attributes:
        sizes: Input size of each call so far.
    """

    def __init__(self, *streets: DrawnStreet) -> None:
        self._streets = {street.frame(0).image[0, 1].tobytes(): street for street in streets}
        self.sizes: list[tuple[int, int]] = []

    def detect(
        self, images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int]
    ) -> list[list[Detection]]:
        """Return the faces that were drawn into these frames."""
        self.sizes.append(input_size)
        found = []
        for image in images:
            street, number = self._streets[image[0, 1].tobytes()], int(image[0, 0, 0])
            found.append([detection_of(box) for box in street.boxes(number).values()])
        return found

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return no faces, since `detect` overlooks none."""
        return [[] for _ in images]


class PatternEmbedder:
    """A `FaceEmbedder` that uses the coarse pattern of a face as its template."""

    facts = GalleryFacts("pattern", "0" * 64, 192, "five-points", 0.5)

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed aligned faces: (n, 112, 112, 3) uint8 to (n, 192) float32, normalised."""
        return looks(faces)


def drawn_templates(
    *people: str,
    expires: datetime = NEVER,
    subject: str = "",
    control: Collection[str] = (),
    watchlist: str = "default",
) -> tuple[dict[str, ManifestEntry], list[StoredTemplate]]:
    """Put drawn people on a watchlist.

    Args:
        people: Names of the people; each name is reference and subject.
        expires: Expiry of their entries.
        subject: One subject for all people; empty for a subject per person.
        control: Names of the people who are control subjects.
        watchlist: Name of the list.

    Returns:
        The manifest by reference, and the templates, which are the arguments of `ExactIndex`.
    """
    stored = []
    for person in people:
        image = cv2.resize(portrait(person), (192, 192))
        landmarks = detection_of(Box(0, 0, 192, 192)).landmarks
        vector = looks(align(np.asarray(image, np.uint8), landmarks[None]))[0]
        stored.append(
            StoredTemplate(person, watchlist, subject or person, hash_template(vector), vector)
        )
    manifest = {
        each.reference_id: ManifestEntry(
            watchlist,
            "control" if each.reference_id in control else "wanted",
            each.template_hash,
            each.entry_hash,
            expires,
        )
        for each in stored
    }
    return manifest, stored
