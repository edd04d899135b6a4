#!/usr/bin/env python3
"""Fit the quality score: predict a face's similarity to its own person's references.

    benchmarks/fit_quality.py STREET_DIR ...

Prints the weights for `openlfr.stages.assess.WEIGHTS` (least squares on the logarithms of its
measures, over every detection of a listed person). For these and for the present weights it prints
Spearman's rank correlation of prediction and truth, over all faces and within each pass; the choice
of a probe depends on the second. The truth is the cosine similarity to the most similar of
the person's references. Then it prints the similarity of a track's best faces, for
`ProbeRules.agree`.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from compare_trackers import Ours, people
from scipy.stats import spearmanr
from tune import Street

from openlfr.adapters.capture import open_source
from openlfr.stages.align import align
from openlfr.stages.assess import WEIGHTS, measure_face
from openlfr.stages.detect import input_size_for, stack_landmarks

if TYPE_CHECKING:
    from numpy.typing import NDArray

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("size", "confidence", "sharpness", "range")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/openlfr/tune")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    rows, truth, passes = [], [], []
    alike = defaultdict(list)
    for street in (Street(folder, options.cache) for folder in options.streets):
        references: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
        for stored in street.stored:
            references[stored.subject].append(stored.vector)
        tracker = Ours(street.fps)
        held = defaultdict(list)
        source = open_source("street", str(street.folder / "video.mp4"), epoch=1, start=START)
        for frame in source.frames():
            height, width = frame.image.shape[:2]
            found = street.detector.detect([frame.image], input_size_for(width, height, None))[0]
            faces = {g["track"]: g for g in street.truth.get(frame.seq, [])}
            owners = people(found, list(faces.values()))
            aligned = align(frame.image, stack_landmarks(found))
            numbers = tracker.step(frame.image, found, frame.seq / street.fps)
            for detection, face, owner, number in zip(found, aligned, owners, numbers, strict=True):
                if owner < 0 or faces[owner]["id"] not in references:
                    continue
                template = street.embedder.embed(face[None])
                own = float(max(template[0] @ one for one in references[faces[owner]["id"]]))
                values = measure_face(detection, face)
                rows.append([np.log(values[name]) for name in NAMES] + [1.0])
                truth.append(own)
                passes.append((str(street.folder), owner))
                held[number].append((values, owner, template[0]))
        street.detector.save()
        street.embedder.save()
        for track in held.values():
            best = sorted(track, key=lambda h: -h[0]["size"] * h[0]["confidence"])[:6]
            for i, one in enumerate(best):
                for other in best[:i]:
                    alike[one[1] == other[1]].append(float(one[2] @ other[2]))
    weights, *_ = np.linalg.lstsq(np.array(rows), np.array(truth), rcond=None)
    fitted = dict(zip((*NAMES, "one"), np.round(weights, 3).tolist(), strict=True))
    print(f"{len(rows)} faces in {len(set(passes))} passes")
    for name, chosen in (("fitted", fitted), ("as they stand", WEIGHTS)):
        print(f"{name}: {chosen}\n  {_judged(rows, truth, passes, chosen)}")
    for same, name in ((True, "one person"), (False, "two people")):
        if alike[same]:
            shares = np.round(np.percentile(alike[same], [1, 5, 50, 95, 99]), 2).tolist()
            print(f"pairs of best faces of one track, {name}: {len(alike[same])}; "
                  f"1, 5, 50, 95, 99% at {shares}")  # fmt: skip


def _judged(
    rows: list[list[float]],
    truth: list[float],
    passes: list[tuple[str, int]],
    weights: dict[str, float],
) -> str:
    """Describe the quality of the weights' predictions."""
    predicted = np.array(rows) @ np.array([weights[name] for name in (*NAMES, "one")])
    true, of_pass = np.array(truth), defaultdict(list)
    for row, one in enumerate(passes):
        of_pass[one].append(row)
    within = [
        spearmanr(predicted[chosen], true[chosen]).statistic
        for chosen in of_pass.values()
        if len(chosen) >= 15
    ]
    return (
        f"rank correlation {spearmanr(predicted, true).statistic:.3f} over all, "
        f"{np.nanmean(within):.3f} within {len(within)} passes; mean error "
        f"{np.abs(predicted - true).mean():.3f}, bias {(predicted - true).mean():+.3f}"
    )


if __name__ == "__main__":
    main()
