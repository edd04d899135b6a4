"""The passes of a calibration's people: filmed on simulated streets, analysed by the pipeline.

The analysis is that of a run: the film is decoded, and its frames go through the Analyser with the
configured models and the searchable list. Each search is credited to every person whose face is
among the searched faces. So a track that changes from one person to another counts for both, and
the scores are rather too high than too low.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openlfr.adapters.capture import open_source
from openlfr.domain.faces import Box
from openlfr.domain.ids import Ids
from openlfr.pipeline import Analyser
from openlfr.simulate import StreetOptions, film_people

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from openlfr.live_tracks import Query
    from openlfr.ports import FaceDetector, FaceEmbedder, WatchlistIndex
    from openlfr.simulate import Person

_SAME_FACE = 0.2
"""Lowest overlap (IoU) of a detected face and a walker's true face. A detected box is higher than
the true square, so that even correct pairs overlap by about 0.7. `benchmarks/passes.py` uses the
same limit."""
_CAMERA = "street"
_PEOPLE_PER_FILM = 60
_WALKS_PER_SECOND = 1.0
_MIN_SECONDS_PER_WALK = 14  # a walk lasts at most 12 s, and nobody is in two places at once


@dataclass(slots=True)
class CohortScores:
    """The scores of a cohort; they are never written to disk.

    Attributes:
        best: Highest score of each person with a searched track, by name.
        walked: Names of the people with at least one walk.
        tracks_of_nobody: Number of searched tracks without a walker's face.
    """

    best: dict[str, float] = field(default_factory=dict)
    walked: set[str] = field(default_factory=set)
    tracks_of_nobody: int = 0


class CohortFilming:
    """Films people in groups, and analyses each film before the next one is made."""

    def __init__(
        self,
        folder: Path,
        *,
        detector: FaceDetector,
        embedder: FaceEmbedder,
        index: WatchlistIndex,
        at: datetime,
        walks_per_person: int,
        seed: int,
    ) -> None:
        """Prepare.

        Args:
            folder: Folder for the films; each film is erased after its analysis.
            detector: The configured detector.
            embedder: The configured embedder.
            index: The searchable list.
            at: Capture time of each film's first frame, UTC; entries that expire before a frame's
                capture time are not searched.
            walks_per_person: Number of walks of each person.
            seed: Seed of the first film; the next film has the next number.
        """
        self._folder = folder
        self._detector = detector
        self._embedder = embedder
        self._index = index
        self._at = at
        self._walks = walks_per_person
        self._seed = seed

    def score(
        self,
        people: Sequence[Person],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> CohortScores:
        """Film the walks of all people, analyse the films, and return the scores.

        Args:
            people: The people with their photos.
            progress: Called with the number of people whose walks are analysed.

        Raises:
            Unavailable: A film cannot be written.
        """
        scores, done = CohortScores(), 0
        films = -(-len(people) // _PEOPLE_PER_FILM)
        for number in range(films):  # groups of nearly equal size, since few people walk less often
            group = people[number::films]
            self._film_and_analyse(group, self._seed + number, scores)
            done += len(group)
            progress(done)
        return scores

    def _film_and_analyse(self, group: Sequence[Person], seed: int, scores: CohortScores) -> None:
        folder = self._folder / str(seed)
        options = make_street_options(len(group), self._walks, seed)
        try:
            film_people(group, folder, options, detector=lambda: self._detector)
            faces = _read_faces(folder)
            scores.walked |= {name for boxes in faces.values() for name, _ in boxes}
            self._analyse(folder / "video.mp4", faces, scores)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _analyse(
        self, film: Path, faces: Mapping[int, Sequence[tuple[str, Box]]], scores: CohortScores
    ) -> None:
        of_nobody: set[int] = set()
        of_somebody: set[int] = set()

        def credit(query: Query) -> None:
            names = {
                name
                for face in query.faces
                if (name := _find_walker(faces.get(face.seq, ()), face.box))
            }
            number, best = query.track.number, query.track.score
            if not names:
                of_nobody.add(number)
                return
            of_somebody.add(number)
            if best is not None:
                for name in names:
                    scores.best[name] = max(scores.best.get(name, -1.0), best.score)

        analyser = Analyser(
            ids=Ids("calibration", bytes(32)),  # no sighting is raised, and none is stored
            detector=self._detector,
            embedder=self._embedder,
            index=self._index,
            threshold=2.0,  # above every score
            on_search=credit,
        )
        source = open_source(_CAMERA, str(film), epoch=1, start=self._at)
        try:
            for frame in source.frames():
                analyser.analyse([frame])
            analyser.close_camera(_CAMERA)
        finally:
            source.close()
        scores.tracks_of_nobody += len(of_nobody - of_somebody)


def make_street_options(people: int, walks_per_person: int, seed: int) -> StreetOptions:
    """Return the options of a street on which each person walks this many times."""
    walks = people * walks_per_person
    seconds = max(walks / _WALKS_PER_SECOND, walks_per_person * _MIN_SECONDS_PER_WALK)
    return StreetOptions(
        seed=seed, seconds=round(seconds) + 3, people=walks, watchlist=0, watch_share=0.0
    )


def _read_faces(folder: Path) -> dict[int, list[tuple[str, Box]]]:
    """Return the name and box of each face of each frame."""
    with (folder / "frames.jsonl").open(encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return {
            row["n"]: [(face["id"], Box(*face["box"])) for face in row["faces"]] for row in rows
        }


def _find_walker(faces: Sequence[tuple[str, Box]], box: Box) -> str:
    """Return the walker whose face overlaps most; empty if no overlap reaches `_SAME_FACE`."""
    overlap, name = max(((face.iou(box), name) for name, face in faces), default=(0.0, ""))
    return name if overlap >= _SAME_FACE else ""
