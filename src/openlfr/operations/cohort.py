"""Selects the people of a calibration: nobody who is listed, and nobody twice.

A listed person among the strangers would raise the threshold, and the same stranger twice would
count as two people. Names are compared, and templates of photos, which detects nearly equal
pictures. A different photo of a listed person under another name is not detected: it cannot be
distinguished from a stranger who resembles the listed person, and such strangers must stay.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.examine import EnrolmentRules, examine
from openlfr.operations.lookalikes import NEAR_COPY, ListedTemplates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from openlfr.ports import FaceDetector, FaceEmbedder, Records, TemplateStore

_ANY_QUALITY = EnrolmentRules(min_eye_distance=0, min_quality=0, min_sharpness=0, min_exposure=0)


@dataclass(frozen=True, slots=True)
class SelectedPeople:
    """The people of a cohort who walk through the simulated streets, and the people left out.

    Attributes:
        photos: Usable photos of each person, by name.
        left_out: The reason for leaving out each of the other people, by name of the person.
        photos_sha256: SHA-256 over the contents of the usable photos, whatever their names.
    """

    photos: Mapping[str, tuple[Path, ...]]
    left_out: Mapping[str, str]
    photos_sha256: str


def select_people(
    cohort: Mapping[str, Sequence[Path]],
    *,
    records: Records,
    templates: TemplateStore,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    progress: Callable[[int], None] = lambda _: None,
) -> SelectedPeople:
    """Select the people of a cohort who are not listed and have a usable photo, each person once.

    Names are compared with active, pending and suspended entries of all watchlists. Pictures are
    compared with active and suspended entries, and with the people selected before.

    Args:
        cohort: Photos of each person, by the name of the person's folder.
        records: The recorded entries.
        templates: Templates of the listed people.
        detector: Detects the face in a photo.
        embedder: Computes the template of the detected face.
        progress: Called after each person with the number of people examined so far.

    Raises:
        Unavailable: The records or the templates cannot be read.
    """
    standing = records.watchlist.references(
        statuses=(EntryStatus.ACTIVE, EntryStatus.PENDING, EntryStatus.SUSPENDED)
    )
    listed_names = {_name_key(each.subject): each.subject for each in standing}
    dimension = embedder.facts.dimension
    listed = ListedTemplates.read(records.watchlist, templates, room=0, dimension=dimension)
    photos: dict[str, tuple[Path, ...]] = {}
    left_out: dict[str, str] = {}
    owners: list[str] = []
    known = np.empty((0, dimension), np.float32)
    digests: list[str] = []
    for number, (name, files) in enumerate(cohort.items(), 1):
        progress(number)
        if subject := listed_names.get(_name_key(name)):
            left_out[name] = f"{subject} is on the list"
            continue
        usable, vectors, hashes, why = _examine(files, detector, embedder)
        if not usable:
            left_out[name] = why
            continue
        copied = _find_copied(vectors, listed) or _find_owner(vectors, known, owners)
        if copied:
            left_out[name] = f"nearly the same picture as {copied}"
            continue
        photos[name] = tuple(usable)
        known = np.concatenate([known, vectors])
        owners += [name] * len(vectors)
        digests += hashes
    digest = hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()
    return SelectedPeople(photos, left_out, digest)


def _examine(
    files: Sequence[Path], detector: FaceDetector, embedder: FaceEmbedder
) -> tuple[list[Path], NDArray[np.float32], list[str], str]:
    """Return usable photos, their templates and hashes, and the problem of the last other photo."""
    usable: list[Path] = []
    vectors: list[NDArray[np.float32]] = []
    hashes: list[str] = []
    why = "the folder has no photo"
    for file in files:
        try:
            photo = examine(file, detector, embedder, _ANY_QUALITY)
        except BadInput as error:
            why = str(error)
            continue
        usable.append(file)
        vectors.append(photo.template)
        hashes.append(photo.picture_hash)
    rows = np.stack(vectors) if vectors else np.empty((0, embedder.facts.dimension), np.float32)
    return usable, rows, hashes, why


def _find_copied(vectors: NDArray[np.float32], listed: ListedTemplates) -> str:
    """Describe a nearly equal picture of a listed person, in a sentence; empty without one."""
    for vector in vectors:
        for subject, (score, _) in listed.best_of_each(vector).items():
            if score >= NEAR_COPY:
                return f"one of {subject}, who is on the list"
    return ""


def _find_owner(
    vectors: NDArray[np.float32], known: NDArray[np.float32], owners: Sequence[str]
) -> str:
    """Describe a nearly equal picture of an earlier person of the cohort; empty without one."""
    if not len(known):
        return ""
    best = (vectors @ known.T).max(axis=0)
    row = int(best.argmax())
    return f"one of {owners[row]} in this folder" if best[row] >= NEAR_COPY else ""


def _name_key(name: str) -> str:
    """Return the words of a name without case, accents, punctuation and order."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return " ".join(sorted(words)) or name
