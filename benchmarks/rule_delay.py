"""Measures the delay from the first eligible frame to the frame that finds the person.

    .venv/bin/python -m benchmarks.rule_delay STREET_DIR ...
        [--every 5] [--input-size 960] [--set probes.doubt=0]

The streets with ground truth, and the cache, are those of `benchmarks/tune.py`; `--every 5`
analyses every fifth frame. The delay counts frames of the film, so it does not depend on the
machine. Each change of `--set` is run in addition to the defaults.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from benchmarks.tune import START, Street, changed

from openlfr import bootstrap
from openlfr.adapters.capture import open_source
from openlfr.domain.faces import Box
from openlfr.domain.ids import Ids
from openlfr.pipeline import Analyser, AnalysisRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.domain.analysis import SightingWithEvidence


class Found(NamedTuple):
    """A sighting.

    Attributes:
        at: Number of the frame after which it was returned.
    """

    at: int
    sighted: SightingWithEvidence


def sightings(street: Street, rules: AnalysisRules, size: int, every: int) -> Iterator[Found]:
    """Return the Analyser's sightings at the default threshold."""
    analyser = Analyser(
        ids=Ids("rule", bytes(32)),
        detector=street.detector,
        embedder=street.embedder,
        index=street.index,
        threshold=bootstrap.load_embedder().facts.default_threshold,
        input_sizes={"street": (size, size)},
        rules=rules,
    )
    source = open_source("street", str(street.folder / "video.mp4"), epoch=1, start=START)
    last = 0
    for frame in source.frames():
        if frame.seq % every == 0:
            last = frame.seq
            for each in analyser.analyse([frame]).sightings:
                yield Found(last, each)
    for each in analyser.close_camera("street").sightings:
        yield Found(last, each)
    street.detector.save()
    street.embedder.save()


def judge(street: Street, found: Iterator[Found]) -> tuple[list[float], int]:
    """Return the delays of the found passes in seconds, and the number of wrong lines."""
    tracks = json.loads((street.folder / "tracks.json").read_text())["tracks"]
    eligible = {track["track"]: track["eligible"][0] for track in tracks if track["eligible"]}
    when: dict[int, int] = {}
    false = set()
    for at, sighted in found:
        told = sighted.sighting
        right = [
            face["track"]
            for face in street.truth.get(told.seq, [])
            if face["watch"] and face["id"] == told.subject
            and Box(*face["box"]).iou(told.box) >= 0.2
        ]  # fmt: skip
        if right:
            when.setdefault(right[0], at)
        else:
            false.add((told.subject, told.seq // (3 * street.fps)))
    hits = street.passes & when.keys()
    return [(when[track] - eligible[track]) / street.fps for track in hits], len(false)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, help="5: analyse every fifth frame")
    parser.add_argument("--input-size", type=int, default=960, help="longer side")
    parser.add_argument("--set", nargs="*", default=[], metavar="PART.NAME=VALUE[,...]")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/openlfr/tune")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    streets = [Street(folder, options.cache) for folder in options.streets]
    passes = sum(len(street.passes) for street in streets)
    for change in ["", *options.set]:
        rules = changed(AnalysisRules(), change)
        before = sum(street.embedder.asked for street in streets)
        judged = [
            judge(street, sightings(street, rules, options.input_size, options.every))
            for street in streets
        ]
        delays = [delay for found, _ in judged for delay in found]
        p50, p90, p95 = np.percentile(delays, [50, 90, 95])
        embedded = sum(street.embedder.asked for street in streets) - before
        print(
            f"{change or 'default'}: found {len(delays)} of {passes}, "
            f"{sum(false for _, false in judged)} false; delay p50 {p50:.2f}, p90 {p90:.2f}, "
            f"p95 {p95:.2f} s; {embedded} faces embedded",
            flush=True,
        )


if __name__ == "__main__":
    main()
