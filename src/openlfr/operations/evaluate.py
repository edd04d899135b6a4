"""Evaluate: open-set 1:N identification on a folder of faces (ISO/IEC 19795-1).

The first photo of each person with two or more photos is in the gallery, and that person's other
photos are mated probes. The single photo of each other person is a non-mated probe. The face
nearest the centre of a photo counts, and no photo is rejected for its quality. A failed photo
counts as a miss: a probe without a face matches nobody, and no probe matches a person whose gallery
photo failed. The score is the cosine, which is the similarity of `stages.search` with one reference
per subject.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.files import MAX_PICTURE_BYTES, match_spelling, read_file
from openlfr.operations.error_rates import OperatingPoint, Rate, Trials, Unsupported, measure
from openlfr.stages.align import align
from openlfr.stages.decode import decode
from openlfr.stages.reference import reference_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from openlfr.domain.faces import Detection
    from openlfr.ports import FaceDetector, FaceEmbedder

FPIRS = (0.1, 0.01, 0.001)
_PICTURES = {".jpg", ".jpeg", ".png", ".bmp"}
_BATCH = 32


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The result of an evaluation.

    Attributes:
        gallery, mated, nonmated: Numbers of photos in each part, including failed photos.
        failures_to_acquire: Number of photos without a template: unreadable or without a face.
        unreadable: Names of unreadable photos, relative to the set.
        rank1: Share of mated probes whose best candidate is their own person.
        tpir_at_fpir: Rates by target FPIR, or `Unsupported` with too few non-mated probes; empty
            without non-mated probes.
        model_name, model_sha256: Name and hash of the embedder.
        input_size: (width, height) of the detector's input.
        data_sha256: Hash of the names and contents of all photos, in order.
    """

    gallery: int
    mated: int
    nonmated: int
    failures_to_acquire: int
    unreadable: tuple[str, ...]
    rank1: Rate
    tpir_at_fpir: dict[float, OperatingPoint | Unsupported]
    model_name: str
    model_sha256: str
    input_size: tuple[int, int]
    data_sha256: str

    def as_json(self) -> dict[str, Any]:
        """The result as the documented JSON object."""
        return {
            "gallery": self.gallery,
            "mated": self.mated,
            "nonmated": self.nonmated,
            "failures_to_acquire": self.failures_to_acquire,
            "rank1": self.rank1.value,
            "rank1_interval": {"low": self.rank1.low, "high": self.rank1.high},
            "tpir_at_fpir": {
                f"{fpir:g}": point.as_json() for fpir, point in self.tpir_at_fpir.items()
            },
            "unreadable": list(self.unreadable),
            "model": {"name": self.model_name, "sha256": self.model_sha256},
            "input_size": list(self.input_size),
            "data_sha256": self.data_sha256,
        }


def evaluate(
    set_dir: Path,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    *,
    input_size: tuple[int, int] = (320, 320),
    min_score: float = 0.6,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> EvaluationResult:
    """Measure the error rates of a detector and an embedder together.

    Args:
        set_dir: Folder with `images/NAME/*.jpg`, a folder for each person.
        detector: Detects the faces.
        embedder: Computes the templates.
        input_size: (width, height) of the detector's input.
        min_score: Lowest score of a detection.
        progress: Called with the number of finished photos and their total.

    Raises:
        BadInput: There is no such set, or nobody in it has two photos.
    """
    set_dir = match_spelling(set_dir)
    people = _people(set_dir)
    photos = [photo for person in people for photo in person]
    if not any(len(person) > 1 for person in people):
        raise BadInput(
            f"{set_dir} contains no person with two photos, so nobody can be searched for: put "
            "each person's photos into a folder in images/."
        )
    templates = np.full((len(photos), embedder.facts.dimension), np.nan, np.float32)
    unreadable: list[str] = []
    enrolled = set(_gallery_rows(people).tolist())
    digest = hashlib.sha256()
    progress(0, len(photos))
    for start in range(0, len(photos), _BATCH):
        pictures: dict[int, NDArray[np.uint8]] = {}
        for index, photo in enumerate(photos[start : start + _BATCH], start):
            name = photo.relative_to(set_dir).as_posix()
            content, picture = _read(photo)
            digest.update(
                f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode(errors="surrogateescape")
            )
            if picture is None:
                unreadable.append(name)
            else:
                pictures[index] = picture
        faces = _central_faces(pictures, detector, input_size=input_size, min_score=min_score)
        _embed(faces, templates, embedder, enrolled=enrolled)
        progress(min(start + _BATCH, len(photos)), len(photos))

    trials, sizes = _search(people, templates)
    rank1, points = measure(trials, FPIRS)
    return EvaluationResult(
        gallery=sizes[0],
        mated=sizes[1],
        nonmated=sizes[2],
        failures_to_acquire=int(np.isnan(templates[:, 0]).sum()),
        unreadable=tuple(unreadable),
        rank1=rank1,
        tpir_at_fpir=points,
        model_name=embedder.facts.model_name,
        model_sha256=embedder.facts.model_sha256,
        input_size=input_size,
        data_sha256=digest.hexdigest(),
    )


def most_central(detections: Sequence[Detection], width: float, height: float) -> Detection | None:
    """Return the detection whose box's centre is nearest the picture's; None without detections."""

    def distance(detection: Detection) -> float:
        x, y = detection.box.centre
        return (x - width / 2) ** 2 + (y - height / 2) ** 2

    return min(detections, key=distance, default=None)


def _people(set_dir: Path) -> list[list[Path]]:
    images = set_dir / "images"
    if not images.is_dir():
        raise BadInput(f"{set_dir} is no set of faces: the folder {images} does not exist.")
    folders = [path for path in sorted(images.iterdir()) if path.is_dir() and not _is_hidden(path)]
    _refuse_spellings(folders)
    people = [
        sorted(
            photo
            for photo in folder.iterdir()
            if photo.suffix.lower() in _PICTURES and not _is_hidden(photo)
        )
        for folder in folders
    ]
    people = [photos for photos in people if photos]
    if not people:
        raise BadInput(f"{images} contains no photos: put them into images/NAME/*.jpg.")
    return people


def _is_hidden(path: Path) -> bool:
    """Return whether a file is hidden; a Mac writes `._NAME.jpg` beside each copied file."""
    return path.name.startswith(".")


def _refuse_spellings(folders: Sequence[Path]) -> None:
    """Raise an error for two folders of one name: their person would count as two strangers."""
    known: dict[str, Path] = {}
    for folder in folders:
        first = known.setdefault(unicodedata.normalize("NFC", folder.name), folder)
        if first is not folder:
            raise BadInput(f"{folder}: two folders have spellings of this name; merge them.")


def _read(photo: Path) -> tuple[bytes, NDArray[np.uint8] | None]:
    content = b""
    try:
        content = read_file(photo, max_bytes=MAX_PICTURE_BYTES)
        return content, decode(content, str(photo))
    except BadInput:
        return content, None


def _central_faces(
    pictures: dict[int, NDArray[np.uint8]],
    detector: FaceDetector,
    *,
    input_size: tuple[int, int],
    min_score: float,
) -> dict[int, NDArray[np.uint8]]:
    """Return the aligned central face by picture; pictures without a face are missing."""
    found = detector.detect(list(pictures.values()), input_size)
    faces: dict[int, NDArray[np.uint8]] = {}
    for (index, picture), detections in zip(pictures.items(), found, strict=True):
        good = [detection for detection in detections if detection.score >= min_score]
        central = most_central(good, picture.shape[1], picture.shape[0])
        if central is not None:
            faces[index] = align(picture, central.landmarks[None])[0]
    return faces


def _embed(
    faces: dict[int, NDArray[np.uint8]],
    templates: NDArray[np.float32],
    embedder: FaceEmbedder,
    *,
    enrolled: Collection[int],
) -> None:
    """Fill the rows of `templates`: enrolled faces as in an import, all other faces as probes."""
    probes = [row for row in faces if row not in enrolled]
    references = [row for row in faces if row in enrolled]
    if probes:
        templates[probes] = embedder.embed(np.stack([faces[row] for row in probes]))
    if references:
        aligned = np.stack([faces[row] for row in references])
        templates[references] = reference_templates(aligned, embedder)


def _gallery_rows(people: Sequence[Sequence[Path]]) -> NDArray[np.intp]:
    """Return the rows of enrolled photos: the first photo of each person with two or more."""
    firsts = np.cumsum([0, *(len(person) for person in people[:-1])])
    return firsts[[len(person) > 1 for person in people]]


def _search(
    people: Sequence[Sequence[Path]], templates: NDArray[np.float32]
) -> tuple[Trials, tuple[int, int, int]]:
    """Search every probe in the gallery; return the trials and the sizes of the parts."""
    firsts = np.cumsum([0, *(len(person) for person in people[:-1])])
    listed = np.array([len(person) > 1 for person in people])
    person_of = np.repeat(np.arange(len(people)), [len(person) for person in people])
    is_first = np.zeros(len(templates), bool)
    is_first[firsts] = True
    gallery_rows = _gallery_rows(people)
    mated_rows = np.flatnonzero(listed[person_of] & ~is_first)
    strangers = firsts[~listed]

    entry_of = np.cumsum(listed) - 1  # row in the gallery, by number of a listed person
    gallery = templates[gallery_rows]
    mated_best, mated_who = _best(templates[mated_rows], gallery)
    strangers_best, _ = _best(templates[strangers], gallery)
    owners = entry_of[person_of[mated_rows]]
    trials = Trials(
        owners=owners,
        correct=(mated_who == owners) & np.isfinite(mated_best),
        mated_scores=mated_best,
        nonmated_scores=strangers_best,
    )
    return trials, (len(gallery_rows), len(mated_rows), len(strangers))


def _best(
    probes: NDArray[np.float32], gallery: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the best score of each probe, and the row of this score in the gallery.

    Scores of a failed probe, and with a failed gallery photo, are -inf.
    """
    best = np.empty(len(probes), np.float32)
    who = np.empty(len(probes), np.intp)
    for start in range(0, len(probes), 1024):
        alike = probes[start : start + 1024] @ gallery.T
        alike[np.isnan(alike)] = -np.inf
        part = slice(start, start + len(alike))
        who[part] = alike.argmax(axis=1)
        best[part] = alike.max(axis=1)
    return best, who
