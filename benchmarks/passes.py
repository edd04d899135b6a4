"""Records every search of a street once, so that rules and lists can be tried without the models.

`record` runs the product's own Analyser over a street of the neutral synth_street.py and stores the
templates and qualities of each query's faces. `Street.scored` computes their scores under any
rules, list and scoring. The times of the searches, which depend on quality alone, stay as recorded.

    python -m benchmarks.passes STREET_DIR ...      records; a second call takes a moment
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openlfr import bootstrap
from openlfr.adapters.capture import open_source
from openlfr.adapters.models.sface import FEATURELESS_SHARE
from openlfr.domain.faces import Box
from openlfr.domain.ids import Ids
from openlfr.encounters import Encounters
from openlfr.live_tracks import Query
from openlfr.operations.evaluate import most_central
from openlfr.pipeline import Analyser
from openlfr.stages.align import align
from openlfr.stages.reference import fuse_views, make_views
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from openlfr.stages.probe import ProbeRules

START = datetime(2026, 1, 1, tzinfo=UTC)
_SAME = 0.2
"""Overlap (IoU) from which a box is a walker's, as the neutral judge has it."""
_SCORABLE = 3
"""Eligible frames from which the neutral judge counts a listed person's pass."""


@dataclass(frozen=True)
class FaceQuality:
    """The quality score of a face, without its parts."""

    score: float


@dataclass(frozen=True)
class EmbeddedFace:
    """The fields of a track's face that make a probe."""

    template: NDArray[np.float32]
    quality: FaceQuality


class _Models:
    """The product's models, with a cache of embedded faces."""

    def __init__(self) -> None:
        self.detector = bootstrap.load_detector()
        self._embedder = bootstrap.load_embedder()
        self.facts = self._embedder.facts
        self._known: dict[bytes, NDArray[np.float32]] = {}

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        keys = [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in faces]
        new = [i for i, key in enumerate(keys) if key not in self._known]
        if new:
            made = self._embedder.embed(faces[new])
            self._known |= {keys[i]: row for i, row in zip(new, made, strict=True)}
        return np.stack([self._known[key] for key in keys])

    def featureless(self) -> NDArray[np.float32]:
        """Template of a grey picture, (dimension,); every template lacks a share of it."""
        return self.embed(np.full((1, 112, 112, 3), 128, np.uint8))[0]

    def views_of(self, photo: Path) -> NDArray[np.float32]:
        """Return the templates of the views of a photo's most central face, (4, dimension)."""
        import cv2

        image = np.asarray(cv2.imread(str(photo)), np.uint8)
        found = self.detector.detect([image], (320, 320))[0]
        face = most_central(found, image.shape[1], image.shape[0])
        if face is None:
            raise RuntimeError(f"{photo} shows no face")
        return self.embed(make_views(align(image, face.landmarks[None])))


def record(folder: Path, out: Path, input_size: int | None = None) -> None:
    """Run the Analyser over a street and store its searches and the references' templates."""
    models = _Models()
    queries: list[dict[str, Any]] = []

    class Recorder:
        """Replaces the Searcher: embeds, stores, returns no candidate."""

        def search(self, asked: Sequence[Query]) -> list[Any]:
            for query in asked:
                new = [face for face in query.faces if face.template is None]
                if new:
                    made = models.embed(np.stack([face.aligned for face in new]))
                    for face, template in zip(new, made, strict=True):
                        face.template = template
                queries.append(
                    {
                        "track": id(query.track),
                        "last": query.is_final,
                        "settled": query.is_settled,
                        "seqs": [face.seq for face in query.faces],
                        "boxes": [(b.x, b.y, b.w, b.h) for b in _boxes(query)],
                        "qualities": [face.quality.score for face in query.faces],
                        "templates": np.stack([face.template for face in query.faces]),  # type: ignore[misc]
                    }
                )
                keep_alive.append(query.track)  # so that no other track gets its id
            return []

    keep_alive: list[Any] = []
    nobody = ExactIndex({}, [])
    size = (input_size, input_size) if input_size else None
    analyser = Analyser(
        ids=Ids("passes", bytes(32)),
        detector=models.detector,
        embedder=models,  # type: ignore[arg-type]
        index=nobody,
        threshold=1.0,
        input_sizes={"street": size},
    )
    analyser._searcher = Recorder()  # type: ignore[assignment]
    source = open_source("street", str(folder / "video.mp4"), epoch=1, start=START)
    for frame in source.frames():
        analyser.analyse([frame])
    analyser.close_camera("street")
    enrolled = json.loads((folder / "enrol.json").read_text())
    references = {
        subject: np.stack([models.views_of(Path(photo)) for photo in photos])
        for subject, photos in enrolled.items()
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_suffix(".part")
    part.write_bytes(
        pickle.dumps({"queries": queries, "views": references, "featureless": models.featureless()})
    )
    part.replace(out)


def _boxes(query: Query) -> list[Box]:
    return [face.box for face in query.faces]


@dataclass(frozen=True, slots=True)
class Scored:
    """One search: its track, the walker at that place, and its best candidate."""

    track: int
    walker: int | None
    subject: str
    score: float


class Street:
    """A recorded street and its truth.

    Attributes:
        views: Templates of the photos' views of each listed subject, (photos, 4, dimension).
        references: The enrolled templates of each listed subject, (photos, dimension).
    """

    def __init__(self, folder: Path, recorded: Path) -> None:
        self.name = folder.name
        kept = pickle.loads(recorded.read_bytes())
        self.queries: list[dict[str, Any]] = kept["queries"]
        self._featureless: NDArray[np.float32] = FEATURELESS_SHARE * kept["featureless"]
        self.views: dict[str, NDArray[np.float32]] = kept["views"]
        self.references = {
            subject: np.concatenate([fuse_views(photo) for photo in photos])
            for subject, photos in self.views.items()
        }
        tracks = json.loads((folder / "tracks.json").read_text())["tracks"]
        self.person = {t["track"]: t["id"] for t in tracks}
        self.listed = {t["track"] for t in tracks if t["watch"]}
        self.scorable = {
            t["track"] for t in tracks if t["watch"] and len(t["eligible"]) >= _SCORABLE
        }
        rows = map(json.loads, (folder / "frames.jsonl").read_text().splitlines())
        self._truth = {row["n"]: row["faces"] for row in rows}

    def as_before(self) -> Street:
        """Return the street with the network's own templates, of the photos alone."""
        street = copy(self)
        street.queries = [
            query | {"templates": self._network(query["templates"])} for query in self.queries
        ]
        street.references = {
            subject: self._network(photos[:, 0]) for subject, photos in self.views.items()
        }
        return street

    def _network(self, templates: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the templates before the subtraction: of unit length, in the same plane."""
        along = templates @ self._featureless
        rest = 1 - float(self._featureless @ self._featureless)
        lengths = np.sqrt(along**2 + rest) - along
        return np.asarray(templates * lengths[:, None] + self._featureless, np.float32)

    def walkers_at(self, seq: int, box: tuple[float, float, float, float]) -> list[int]:
        """Return the walkers whose face may be in a box of a frame, the nearest first."""
        overlaps = sorted(
            (
                (Box(*face["box"]).iou(Box(*box)), face["track"])
                for face in self._truth.get(seq, [])
            ),
            reverse=True,
        )
        return [walker for overlap, walker in overlaps if overlap >= _SAME]

    def _walker(self, near: Sequence[int], subject: str) -> int | None:
        """Return the walker of a candidate: its own person, else the nearest."""
        own = (w for w in near if w in self.listed and self.person[w] == subject)
        return next(own, near[0] if near else None)

    def scored(self, rules: ProbeRules, best: Callable[[NDArray[np.float32]], Any]) -> list[Scored]:
        """Return every search's best candidate, with scores lowered by the rules.

        Args:
            rules: Decide which probes are searched and by how much they are lowered.
            best: From (n, dimension) templates to n pairs of subject and score.
        """
        asked: list[tuple[int, list[int], NDArray[np.float32], float]] = []
        for kept in self.queries:
            faces = tuple(
                EmbeddedFace(template, FaceQuality(quality))
                for template, quality in zip(kept["templates"], kept["qualities"], strict=True)
            )
            query = Query(
                "", 0, None, faces, kept["last"], kept["settled"],  # type: ignore[arg-type]
                Encounters(), frozenset(),
            )  # fmt: skip
            for probe in query.probes(rules):
                face = probe.rows[0]
                near = self.walkers_at(kept["seqs"][face], kept["boxes"][face])
                asked.append(
                    (kept["track"], near, probe.template, query.score_penalty(probe, rules))
                )
        if not asked:
            return []
        answers = best(np.stack([template for _, _, template, _ in asked]))
        return [
            Scored(track, self._walker(near, subject), subject, score - lowered)
            for (track, near, _, lowered), (subject, score) in zip(asked, answers, strict=True)
        ]


def similarity(references: dict[str, NDArray[np.float32]]) -> tuple[list[str], Callable[..., Any]]:
    """Return the product's own similarity function to each subject (`stages.search`)."""
    names = list(references)
    sizes = [len(references[name]) for name in names]
    starts = np.cumsum([0, *sizes[:-1]])
    rows = np.concatenate([references[name] for name in names])
    means = np.stack([references[name].sum(axis=0) for name in names])
    means /= np.linalg.norm(means, axis=1, keepdims=True)

    def of(templates: NDArray[np.float32]) -> NDArray[np.float32]:
        best = np.maximum.reduceat(templates @ rows.T, starts, axis=1)
        return np.asarray((best + templates @ means.T) / 2, np.float32)

    return names, of


def plain(references: dict[str, NDArray[np.float32]]) -> Callable[[NDArray[np.float32]], Any]:
    """Return a function for the best subject of each template by similarity alone."""
    names, of = similarity(references)

    def best(templates: NDArray[np.float32]) -> list[tuple[str, float]]:
        alike = of(templates)
        return [(names[i], float(alike[row, i])) for row, i in enumerate(alike.argmax(axis=1))]

    return best


def load_references(faces: Path) -> dict[str, NDArray[np.float32]]:
    """Return the template of the first photo of each person with several; cached."""
    kept = Path.home() / ".cache" / "openlfr" / "passes" / "references-of-views.npz"
    if not kept.exists():
        models = _Models()
        people = {
            folder.name: sorted(folder.glob("*.jpg"))
            for folder in sorted((faces / "images").iterdir())
        }
        made = {
            name: fuse_views(models.views_of(photos[0]))
            for name, photos in people.items()
            if len(photos) > 1
        }
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **made)
    with np.load(kept) as stored:
        return {name: stored[name] for name in stored.files}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--input-size", type=int, default=None, help="longer side; default: auto")
    options = parser.parse_args()
    for folder in options.streets:
        out = recorded_in(folder, options.input_size)
        if not out.exists():
            record(folder, out, options.input_size)
            print(f"{folder.name}: recorded", flush=True)


def recorded_in(folder: Path, input_size: int | None = None) -> Path:
    """Return the path of a street's record."""
    return folder / f"searches{'' if input_size is None else f'-{input_size}'}.pickle"


if __name__ == "__main__":
    main()
