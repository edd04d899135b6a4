"""The streets of the latency benchmark: films, walkers, and the times of sent frames."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from openlfr import bootstrap

if TYPE_CHECKING:
    from pathlib import Path

SEED, SECONDS, FPS, PEOPLE = 6, 60, 5, 30
FILMS = ("camera-a", "camera-b", "camera-c", "camera-d")
FRESH_S = 20 * 24 * 3600  # the entries of a street's manifest expire after 30 days


def street(work: Path, faces: Path | None) -> Path:
    """Simulate the streets once: a folder per camera, and manifest.csv."""
    from openlfr.demo.faces import write_packaged_faces
    from openlfr.simulate import StreetOptions, make_street

    options = StreetOptions(
        seed=SEED, seconds=SECONDS, fps=FPS, people=PEOPLE, cameras=FILMS, watch_share=0.5,
        watchlist=10 if faces else 3, enrol=2 if faces else 1,
    )  # fmt: skip
    work /= "own-faces" if faces else "packaged-faces"
    made, told = work / "streets", work / "streets.json"
    asked = json.dumps(asdict(options) | {"faces": faces}, sort_keys=True, default=str)
    fresh = told.exists() and time.time() - told.stat().st_mtime < FRESH_S
    if fresh and told.read_text() == asked:
        return made
    print("filming four streets, once ...", file=sys.stderr)
    shutil.rmtree(work, ignore_errors=True)
    detector = bootstrap.load_detector()
    if faces is None:
        faces = work / "faces"
        write_packaged_faces(faces, detector, only_astronaut=False)
    make_street(faces, made, options, detector=lambda: detector)
    told.write_text(asked)
    return made


@dataclass(frozen=True, slots=True)
class Walk:
    """A pass of a listed person before a film's camera.

    Attributes:
        first, last: Frames of the film.
        eligible: The first frame in which the person should be found.
    """

    person: str
    first: int
    last: int
    eligible: int


def walks_of(film: Path) -> list[Walk]:
    """Return whole passes of listed people with three eligible frames."""
    tracks = json.loads((film / "tracks.json").read_text())["tracks"]
    return [
        Walk(track["id"], track["first"], track["last"], track["eligible"][0])
        for track in tracks
        if track["watch"]
        and len(track["eligible"]) >= 3
        and track["first"] > 0
        and track["last"] < SECONDS * FPS - 1
    ]
