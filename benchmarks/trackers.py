#!/usr/bin/env python3
"""Identity switches on ground truth: our tracker beside two libraries, on the same detections.

    benchmarks/trackers.py STREET_DIR ...

The libraries are wanted for this comparison only and stand in no lock:
`pip install --no-deps supervision defusedxml norfair filterpy` beside the locked set. Without one
of them its row says so.

A switch: two consecutive detections of one track stand on two people. Mixed: tracks that hold
more than one person. Fragments: tracks beyond the first of a person (each costs a search, and
counts one more face seen). A detection belongs to the ground-truth face that it overlaps most
(IoU above 0.15, weighted by visibility, faces at least a quarter visible).
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment
from tune import CachedDetector, Street

from openlfr.adapters.capture import open_source
from openlfr.domain.faces import Box, Detection
from openlfr.pipeline import input_size_for, landmarks_of
from openlfr.stages.align import align
from openlfr.stages.track import TrackerState, looks, track

START = datetime(2026, 1, 1, tzinfo=UTC)


class Tracker(Protocol):
    def step(self, image: Any, found: list[Detection], seconds: float) -> list[int]: ...


class Ours:
    """`openlfr.stages.track` with its defaults."""

    def __init__(self, fps: float) -> None:
        self._state = TrackerState()

    def step(self, image: Any, found: list[Detection], seconds: float) -> list[int]:
        appearances = looks(align(image, landmarks_of(found)))
        self._state, tracked = track(self._state, found, appearances, at=seconds)
        return list(tracked.tracks)


class ByteTrack:
    """supervision's ByteTrack (boxes and a Kalman filter)."""

    def __init__(self, fps: float) -> None:
        import supervision

        self._sv = supervision
        self._tracker = supervision.ByteTrack(
            frame_rate=round(fps), track_activation_threshold=0.5, minimum_consecutive_frames=1
        )

    def step(self, image: Any, found: list[Detection], seconds: float) -> list[int]:
        if not found:
            self._tracker.update_with_detections(self._sv.Detections.empty())
            return []
        boxes = np.array([[d.box.x, d.box.y, d.box.x + d.box.w, d.box.y + d.box.h] for d in found])
        answer = self._tracker.update_with_detections(
            self._sv.Detections(
                xyxy=boxes,
                confidence=np.array([d.score for d in found]),
                class_id=np.zeros(len(found), int),
                data={"row": np.arange(len(found))},
            )
        )
        numbers = [-1] * len(found)
        for row, number in zip(answer.data.get("row", []), answer.tracker_id, strict=True):
            numbers[int(row)] = int(number)
        return numbers


class Norfair:
    """norfair with its IoU distance and filterpy's Kalman filter."""

    def __init__(self, fps: float) -> None:
        import norfair

        self._norfair = norfair
        self._tracker = norfair.Tracker(
            distance_function="iou",
            distance_threshold=0.8,
            initialization_delay=0,
            hit_counter_max=round(0.8 * fps),
        )

    def step(self, image: Any, found: list[Detection], seconds: float) -> list[int]:
        given = [
            self._norfair.Detection(
                np.array([[d.box.x, d.box.y], [d.box.x + d.box.w, d.box.y + d.box.h]]), data=i
            )
            for i, d in enumerate(found)
        ]
        numbers = [-1] * len(found)
        for tracked in self._tracker.update(given):
            if any(tracked.last_detection is one for one in given):
                numbers[tracked.last_detection.data] = tracked.id
        return numbers


def people(found: list[Detection], faces: list[dict[str, Any]]) -> list[int]:
    """For each detection the ground-truth track it stands on, or -1."""
    owners = [-1] * len(found)
    if not found or not faces:
        return owners
    worth = np.zeros((len(found), len(faces)))
    for i, detection in enumerate(found):
        for j, face in enumerate(faces):
            overlap = detection.box.iou(Box(*face["box"]))
            if overlap > 0.15 and face["vis"] > 0.25:
                worth[i, j] = overlap * (0.3 + face["vis"])
    for i, j in zip(*linear_sum_assignment(-worth), strict=True):
        if worth[i, j] > 0:
            owners[i] = faces[j]["track"]
    return owners


def measure(kind: type[Any], streets: list[Street]) -> dict[str, float]:
    """All counts over the streets, and the tracker's own CPU per frame."""
    switches = mixed = fragments = tracks = persons = frames = 0
    cpu = 0.0
    for street in streets:
        tracker: Tracker = kind(street.fps)
        last: dict[int, int] = {}
        of_track, of_person = defaultdict(set), defaultdict(set)
        source = open_source("street", str(street.folder / "video.mp4"), epoch=1, start=START)
        for frame in source.frames():
            height, width = frame.image.shape[:2]
            detector: CachedDetector = street.detector
            found = detector.detect([frame.image], input_size_for(width, height, None))[0]
            owners = people(found, street.truth.get(frame.seq, []))
            begun = time.thread_time()
            numbers = tracker.step(frame.image, found, frame.seq / street.fps)
            cpu += time.thread_time() - begun
            frames += 1
            for number, owner in zip(numbers, owners, strict=True):
                if number < 0 or owner < 0:
                    continue
                switches += last.get(number, owner) != owner
                last[number] = owner
                of_track[number].add(owner)
                of_person[owner].add(number)
        street.detector.save()
        mixed += sum(len(owners) > 1 for owners in of_track.values())
        fragments += sum(len(numbers) - 1 for numbers in of_person.values())
        tracks += len(of_track)
        persons += len(of_person)
    return {
        "switches": switches, "mixed": mixed, "fragments": fragments, "tracks": tracks,
        "people": persons, "ms_per_frame": round(1000 * cpu / max(frames, 1), 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/openlfr/tune")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    streets = [Street(folder, options.cache) for folder in options.streets]
    for kind in (Ours, ByteTrack, Norfair):
        try:
            print(f"{kind.__name__:10} {measure(kind, streets)}", flush=True)
        except ModuleNotFoundError as error:
            print(f"{kind.__name__:10} not installed: {error.name}")


if __name__ == "__main__":
    main()
