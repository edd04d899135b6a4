"""Whose face does a track hold? Identity switches of the tracker, counted on ground truth.

A *switch* is a track that goes on with another walker's face: the mistake that lends a stranger
somebody else's score. It is *at an occlusion* where the two walkers' boxes overlapped within the
last second. A *fragment* is one more track for a walker than the first: it costs a search, and
accuses nobody. A detection belongs to the visible walker whose box it overlaps most (intersection
over union at least 0.3), each walker and each detection used once.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from benchmarks.acceptance.findings import Bench, Check, Findings
from benchmarks.acceptance.streets import HARD, Kind, street

from openlfr.adapters.capture import open_source
from openlfr.bootstrap import load_detector
from openlfr.domain.faces import Box
from openlfr.domain.moments import microseconds
from openlfr.pipeline import AnalysisRules
from openlfr.stages.align import align
from openlfr.stages.detect import stack_landmarks
from openlfr.stages.track import TrackerState, looks, track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openlfr.domain.faces import Detection

SEEDS = (6, 7, 8, 9, 10)
LEAST_OVERLAP = 0.3
LEAST_VISIBLE = 0.3
EPOCH_0 = datetime(2026, 1, 1, tzinfo=UTC)


def owners(found: Sequence[Detection], faces: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Detection index -> walker, best overlaps first."""
    pairs = sorted(
        (
            (-detection.box.iou(Box(*face["box"])), index, face["track"])
            for index, detection in enumerate(found)
            for face in faces
            if face["vis"] >= LEAST_VISIBLE
        )
    )
    result: dict[int, int] = {}
    for negative, index, walker in pairs:
        if -negative < LEAST_OVERLAP:
            break
        if index not in result and walker not in result.values():
            result[index] = walker
    return result


def follow(made: Path, kind: Kind) -> Counter[str]:
    """Detect and track one street and compare with its truth."""
    truth = [json.loads(line)["faces"] for line in (made / "frames.jsonl").open()]
    fps = json.loads((made / "tracks.json").read_text())["args"]["fps"]
    rules = AnalysisRules()
    detector = load_detector()
    state = TrackerState()
    holder: dict[int, int] = {}
    tracks_of: dict[int, set[int]] = {}
    overlapped: dict[frozenset[int], int] = {}
    count: Counter[str] = Counter()
    source = open_source("street", str(made / "video.mp4"), epoch=1, start=EPOCH_0)
    try:
        for frame in source.frames():
            faces = truth[frame.seq]
            for i, one in enumerate(faces):
                for other in faces[:i]:
                    if Box(*one["box"]).iou(Box(*other["box"])) > 0:
                        overlapped[frozenset((one["track"], other["track"]))] = frame.seq
            found = [
                each
                for each in detector.detect([frame.image], kind.input_size)[0]
                if each.score >= rules.detector_score
            ]
            at = microseconds(frame.captured_at)
            aligned = align(frame.image, stack_landmarks(found))
            state, tracked = track(state, found, looks(aligned), at=at, rules=rules.tracks)
            for index, walker in owners(found, faces).items():
                number = tracked.tracks[index]
                if number < 0:
                    continue
                count["credited"] += 1
                before = holder.get(number, walker)
                if before != walker:
                    count["switches"] += 1
                    last = overlapped.get(frozenset((before, walker)), -(10**9))
                    count["at_occlusions"] += frame.seq - last <= fps
                holder[number] = walker
                tracks_of.setdefault(walker, set()).add(number)
    finally:
        source.close()
    count["walkers"] = len(tracks_of)
    count["fragments"] = sum(len(numbers) - 1 for numbers in tracks_of.values())
    return count


def switches(bench: Bench) -> Findings:
    """Count over the hard tuning streets; figures to be seen, no bar."""
    each = {seed: follow(street(bench, HARD, seed), HARD) for seed in SEEDS}
    total = sum(each.values(), Counter())
    where = f"hard streets, seeds {', '.join(map(str, SEEDS))}"
    names = {
        "at_occlusions": "identity switches at occlusions",
        "switches": "identity switches, all",
        "fragments": "further tracks of the same walker",
        "walkers": "walkers tracked",
        "credited": "detections credited to a track",
    }
    return Findings(
        tuple(Check(f"{where}: {words}", total[key]) for key, words in names.items()),
        {str(seed): dict(count) for seed, count in each.items()},
    )
