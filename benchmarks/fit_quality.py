#!/usr/bin/env python3
"""Fit the quality score: predict a face's similarity to its own person's references.

    benchmarks/fit_quality.py STREET_DIR ...

Prints the weights for `openlfr.stages.assess.WEIGHTS` (least squares on the logarithms of its
measures, over every detection of a listed person) and Spearman's rank correlation of prediction
and truth: over all faces, and within each pass, which is what choosing a probe lives on. Then how
alike the best faces of a track are, for `ProbeRules.agree`.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from compare_trackers import Ours, people
from scipy.stats import spearmanr
from tune import Street

from openlfr.adapters.capture import open_source
from openlfr.pipeline import input_size_for, landmarks_of
from openlfr.stages.align import align
from openlfr.stages.assess import measures

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
        subjects = {s: i for i, s in enumerate(street.index.subjects)}
        tracker = Ours(street.fps)
        held = defaultdict(list)
        source = open_source("street", str(street.folder / "video.mp4"), epoch=1, start=START)
        for frame in source.frames():
            height, width = frame.image.shape[:2]
            found = street.detector.detect([frame.image], input_size_for(width, height, None))[0]
            faces = {g["track"]: g for g in street.truth.get(frame.seq, [])}
            owners = people(found, list(faces.values()))
            aligned = align(frame.image, landmarks_of(found))
            numbers = tracker.step(frame.image, found, frame.seq / street.fps)
            for detection, face, owner, number in zip(found, aligned, owners, numbers, strict=True):
                if owner < 0 or faces[owner]["id"] not in subjects:
                    continue
                template = street.embedder.embed(face[None])
                answers = street.index.search(template, [START], limit=len(subjects))[0]
                own = next(c.score for c in answers if c.subject == faces[owner]["id"])
                values = measures(detection, face)
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
    predicted = np.array(rows) @ weights
    within = [
        spearmanr(predicted[chosen], np.array(truth)[chosen]).statistic
        for one in set(passes)
        if (chosen := np.array([p == one for p in passes])).sum() >= 15
    ]
    print(dict(zip((*NAMES, "one"), np.round(weights, 3).tolist(), strict=True)))
    print(
        f"{len(rows)} faces; rank correlation {spearmanr(predicted, truth).statistic:.3f} over "
        f"all, {np.nanmean(within):.3f} within {len(within)} passes"
    )
    for same, name in ((True, "one person"), (False, "two people")):
        if alike[same]:
            shares = np.round(np.percentile(alike[same], [1, 5, 50, 95, 99]), 2).tolist()
            print(f"pairs of best faces of one track, {name}: {len(alike[same])}; "
                  f"1, 5, 50, 95, 99% at {shares}")  # fmt: skip


if __name__ == "__main__":
    main()
