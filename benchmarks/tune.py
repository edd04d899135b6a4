#!/usr/bin/env python3
"""Tune the analysis on street videos with ground truth: found passes against false alert lines.

    benchmarks/tune.py STREET_DIR ... [--input-size 1280] [--set probes.faces=4 tracks.alike=0.5]

Runs the product's own Analyser with its rules, once for each value of --set (one change at a
time from the defaults). Detections and templates are stored in --cache, so that only the first
run needs the models. Streets come from `openlfr simulate street` or the neutral
synth_street.py; our rules were tuned on seeds 6 to 10 alone.

A line is right by the neutral judge's rule: the listed subject is in that frame, and its box
overlaps (IoU at least 0.2). One run provides the results for every threshold.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from openlfr import bootstrap
from openlfr.adapters.capture import open_source
from openlfr.domain.faces import Box
from openlfr.domain.ids import Ids
from openlfr.domain.templates import StoredTemplate, hash_template
from openlfr.domain.watchlist import ManifestEntry
from openlfr.encounters import Encounters
from openlfr.operations.evaluate import most_central
from openlfr.pipeline import Analyser, AnalysisRules
from openlfr.stages.align import align
from openlfr.stages.reference import reference_templates
from openlfr.stages.search import ExactIndex

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
THRESHOLDS = [round(0.28 + 0.01 * i, 2) for i in range(21)]


class CachedDetector:
    """The product's detector with a cache by the picture's hash."""

    def __init__(self, file: Path) -> None:
        self._file, self._new = file, False
        self._known: dict[bytes, Any] = pickle.loads(file.read_bytes()) if file.exists() else {}
        self._detector = bootstrap.load_detector()

    def detect(self, images: Any, input_size: tuple[int, int]) -> Any:
        answers = []
        for image in images:
            key = hashlib.blake2b(image.tobytes() + repr(input_size).encode()).digest()
            if key not in self._known:
                self._known[key], self._new = self._detector.detect([image], input_size)[0], True
            answers.append(self._known[key])
        return answers

    def detect_again(self, images: Any) -> Any:
        return [[] for _ in images]  # the evidence is not used

    def save(self) -> None:
        if self._new:
            self._file.write_bytes(pickle.dumps(self._known))
            self._new = False


class CachedEmbedder:
    """The product's embedder with a cache by the face's hash."""

    def __init__(self, file: Path) -> None:
        self._embedder = bootstrap.load_embedder()
        self.facts = self._embedder.facts
        model = self.facts.model_sha256[:12]
        self._file, self._new = file.with_name(f"{file.name}-{model}"), False
        known = self._file.read_bytes() if self._file.exists() else pickle.dumps({})
        self._known: dict[bytes, Any] = pickle.loads(known)
        self.asked = 0

    def embed(self, faces: Any) -> Any:
        rows = []
        self.asked += len(faces)
        for face in faces:
            key = hashlib.blake2b(face.tobytes()).digest()
            if key not in self._known:
                self._known[key], self._new = self._embedder.embed(face[None])[0], True
            rows.append(self._known[key])
        return np.stack(rows)

    def save(self) -> None:
        if self._new:
            self._file.write_bytes(pickle.dumps(self._known))
            self._new = False


@dataclass(frozen=True)
class Line:
    """A possible alert line: it exists at every threshold up to its score."""

    seq: int
    box: Box
    subject: str
    score: float


class Street:
    """A street's truth and its cached models."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        tracks = json.loads((folder / "tracks.json").read_text())
        self.fps = tracks["args"]["fps"]
        self.passes = {
            t["track"] for t in tracks["tracks"] if t["watch"] and len(t["eligible"]) >= 3
        }
        rows = (folder / "frames.jsonl").read_text().splitlines()
        self.truth = {row["n"]: row["faces"] for row in map(json.loads, rows)}
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        self.detector = CachedDetector(cache / f"{name}.detections")
        self.embedder = CachedEmbedder(cache / f"{name}.templates")
        self.stored = self._enrol()
        valid = {
            t.reference_id: ManifestEntry(
                "default", "wanted", t.template_hash, t.entry_hash, FOREVER
            )
            for t in self.stored
        }
        self.index = ExactIndex(valid, self.stored)

    def _enrol(self) -> list[StoredTemplate]:
        stored = []
        for subject, photos in json.loads((self.folder / "enrol.json").read_text()).items():
            for number, photo in enumerate(photos):
                image = cv2.imread(photo)
                found = self.detector.detect([image], (320, 320))[0]
                face = most_central(found, image.shape[1], image.shape[0])
                vector = reference_templates(align(image, face.landmarks[None]), self.embedder)[0]
                stored.append(
                    StoredTemplate(
                        f"{subject}-{number}", "default", subject, hash_template(vector), vector
                    )
                )
        return stored

    def lines(self, rules: AnalysisRules, input_size: tuple[int, int] | None) -> list[Line]:
        analyser = Analyser(
            ids=Ids("tune", bytes(32)),
            detector=self.detector,
            embedder=self.embedder,
            index=self.index,
            threshold=-1.0,
            input_sizes={"street": input_size},
            rules=rules,
        )
        source = open_source("street", str(self.folder / "video.mp4"), epoch=1, start=START)
        seen = []
        for frame in source.frames():
            seen.extend(analyser.analyse([frame]).sightings)
            for watch in analyser._cameras.values():
                watch.encounters = Encounters()  # so that every search results in a line
        seen.extend(analyser.close_camera("street").sightings)
        self.detector.save()
        self.embedder.save()
        return [Line(s.sighting.seq, s.sighting.box, s.sighting.subject, s.sighting.score)
                for s in seen]  # fmt: skip

    def judge(self, lines: list[Line], threshold: float) -> tuple[int, int]:
        found, false = set(), set()
        for line in lines:
            if line.score < threshold:
                continue
            right = [
                g["track"]
                for g in self.truth.get(line.seq, [])
                if g["watch"] and g["id"] == line.subject and Box(*g["box"]).iou(line.box) >= 0.2
            ]
            if right:
                found.add(right[0])
            else:
                false.add((line.subject, line.seq // (3 * self.fps)))
        return len(found & self.passes), len(false)


def changed(rules: AnalysisRules, change: str) -> AnalysisRules:
    """Return the rules with one value replaced: `probes.faces=4`."""
    for one in filter(None, change.split(",")):
        key, value = one.split("=")
        part, name = key.split(".")
        old = getattr(rules, part)
        new = type(getattr(old, name))(float(value))
        rules = replace(rules, **{part: replace(old, **{name: new})})
    return rules


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--input-size", type=int, default=None, help="longer side; default auto")
    parser.add_argument("--set", nargs="*", default=[], metavar="PART.NAME=VALUE[,...]")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/openlfr/tune")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    size = (options.input_size, options.input_size) if options.input_size else None
    streets = [Street(folder, options.cache) for folder in options.streets]
    passes = sum(len(street.passes) for street in streets)
    print(f"{passes} passes; found/false by threshold")
    for change in ["", *options.set]:
        rules = changed(AnalysisRules(), change)
        asked = sum(street.embedder.asked for street in streets)
        lines = [street.lines(rules, size) for street in streets]
        cells = []
        for threshold in THRESHOLDS:
            results = [s.judge(l, threshold) for s, l in zip(streets, lines, strict=True)]
            cells.append(
                f"{threshold:.2f}:{sum(r[0] for r in results)}/{sum(r[1] for r in results)}"
            )
        cost = sum(street.embedder.asked for street in streets) - asked
        print(f"{change or 'default'}  (embedded {cost})\n  " + " ".join(cells), flush=True)


if __name__ == "__main__":
    main()
