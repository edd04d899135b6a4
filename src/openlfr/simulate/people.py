"""Reads the people of a street: photos in folders, one folder per person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

_PHOTOS = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True, slots=True)
class Person:
    """A person with their photos, ordered by file name."""

    name: str
    photos: tuple[Path, ...]


def read_people(folder: Path) -> tuple[Person, ...]:
    """Return the people with a photo: `folder/images/NAME/*.jpg`, else `folder/NAME/*.jpg`.

    Raises:
        Misconfigured: The folder does not exist, or has no photo.
    """
    if not folder.is_dir():
        raise Misconfigured(f"{folder} is not a folder; choose a folder with NAME/*.jpg")
    root = folder / "images" if (folder / "images").is_dir() else folder
    people = []
    for person in sorted(path for path in root.iterdir() if path.is_dir()):
        photos = tuple(sorted(p for p in person.iterdir() if p.suffix.lower() in _PHOTOS))
        if photos:
            people.append(Person(person.name, photos))
    if not people:
        raise Misconfigured(
            f"{root} contains no photo; put the photos of each person into {root}/NAME/*.jpg"
        )
    return tuple(people)
