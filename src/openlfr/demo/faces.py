"""People for the demonstration, from sample pictures in installed packages.

scikit-image contains NASA's portrait of an astronaut, and insightface a press photo of six people
at a card table. So each person has one picture. For listed people a second picture is made from
this picture: turned, darker, blurred and compressed, as if scanned. Results show that the pipeline
works, but not how accurate it is. The demonstration prints this limitation with every figure.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.domain import extras
from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.domain.faces import Box
    from openlfr.ports import FaceDetector

    Pixels = NDArray[np.uint8]

ASTRONAUT = "astronaut"
_LISTED_PLAYERS = (3, 6)  # numbers from the left; both look towards the camera
_MARGIN = 2.4  # side of the cut square, in sides of the face
_INPUT = (1280, 1280)


def write_packaged_faces(folder: Path, detector: FaceDetector, *, only_astronaut: bool) -> None:
    """Write NAME/*.jpg for all people in the sample pictures.

    Listed people have two photos: the first for enrolment, the second for walking. Strangers have
    one photo, for walking.

    Args:
        folder: Folder to create.
        detector: Detector for the faces.
        only_astronaut: List only the astronaut, so that no other face is shown in clear.

    Raises:
        Misconfigured: A package with a picture is not installed.
    """
    astronaut = _read(_find_picture("skimage", "data/astronaut.png"))
    players = _read(_find_picture("insightface", "data/images/t1.jpg"))
    faces = sorted((d.box for d in detector.detect([players], _INPUT)[0]), key=lambda box: box.x)
    portrait = detector.detect([astronaut], _INPUT)[0][0].box
    _write_person(folder / ASTRONAUT, _cut(astronaut, portrait), listed=True)
    for number, box in enumerate(faces, 1):
        listed = not only_astronaut and number in _LISTED_PLAYERS
        _write_person(folder / f"player-{number}", _cut(players, box), listed=listed)


def make_enrolment_photo(photo: Pixels) -> Pixels:
    """Make another photo of the same moment: turned, darker, softer; (h, w, 3) uint8 BGR."""
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 4, 0.94)
    turned = cv2.warpAffine(photo, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(turned, (0, 0), width / 320)
    dark = 255 * (np.asarray(soft, np.float64) / 255) ** 1.25 * (0.96, 0.92, 0.9)
    return np.asarray(np.rint(dark), np.uint8)


def _write_person(folder: Path, photo: Pixels, *, listed: bool) -> None:
    folder.mkdir(parents=True)
    if listed:
        _write(folder / "1-enrolled.jpg", make_enrolment_photo(photo), quality=70)
    _write(folder / "2-walking.jpg", photo, quality=92)


def _cut(image: Pixels, face: Box) -> Pixels:
    """Cut a square around a face, scaled to 320 pixels, so that a detector can find the face."""
    side = _MARGIN * (face.w * face.h) ** 0.5
    x, y = face.centre
    scale = 320 / side
    move = np.array([[scale, 0, 160 - scale * x], [0, scale, 160 - scale * y]])
    cut = cv2.warpAffine(
        image, move, (320, 320), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, np.uint8)


def _find_picture(package: str, name: str) -> Path:
    """Return the path of a package's data file, without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Misconfigured(
            f"the sample picture of {package} is not installed: "
            f"{extras.install_advice('analysis')}, or use your own photos with --faces DIR"
        )
    path = Path(spec.origin).parent / name
    if not path.is_file():
        raise Misconfigured(
            f"{package} no longer contains {name}; use your own photos with --faces DIR"
        )
    return path


def _read(path: Path) -> Pixels:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise Misconfigured(f"{path} cannot be read; use your own photos with --faces DIR")
    return np.asarray(image, np.uint8)


def _write(path: Path, image: Pixels, *, quality: int) -> None:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    path.write_bytes(encoded.tobytes())
