#!/usr/bin/env python3
"""Counts identity switches on ground truth: our tracker and three others, on the same detections.

    scripts/compare-trackers STREET_DIR ...

ByteTrack and OC-SORT come from `trackers` (to which supervision's ByteTrack moved); the third is
norfair. They serve only this comparison and are in no lock of the product: `compare_trackers.txt`
pins them, and the script installs them beside the locked set. All trackers receive the same
detections and the street's frame rate, and use their own defaults. One exception: a track may begin
with its first detection, whatever the detector's score.

Switches: consecutive detections of one track are on two people. Mixed: tracks with
more than one person. Fragments: a person's tracks after the first (each costs a search, and
counts one more face seen). Credited: detections that were assigned to a track; an unassigned
detection cannot be switched. A detection belongs to the ground-truth face that it overlaps
most (IoU above 0.15, weighted by visibility, faces at least a quarter visible).
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment
from tune import Street

from openlfr.adapters.capture import open_source
from openlfr.domain.faces import Box, Detection
from openlfr.domain.moments import SECOND
from openlfr.stages.align import align
from openlfr.stages.detect import input_size_for, stack_landmarks
from openlfr.stages.track import TrackerState, looks, track

START = datetime(2026, 1, 1, tzinfo=UTC)


class Tracker(Protocol):
    def step(self, image: Any, found: list[Detection], seconds: float) -> list[int]: ...


class Ours:
    """`openlfr.stages.track` with its defaults."""

    def __init__(self, fps: float) -> None:
        self._state = TrackerState()

    def step(self, image: Any, found: list[Detection], seconds: float) -> list[int]:
        appearances = looks(align(image, stack_landmarks(found)))
        self._state, tracked = track(self._state, found, appearances, at=round(seconds * SECOND))
        return list(tracked.tracks)


class OfTrackers:
    """A tracker of the `trackers` library, which accepts and returns supervision's detections."""

    def __init__(self, tracker: Any) -> None:
        import supervision

        self._sv = supervision
        self._tracker = tracker

    def step(self, image: Any, found: list[Detection], seconds: float) -> list[int]:
        boxes = np.array([[d.box.x, d.box.y, d.box.x + d.box.w, d.box.y + d.box.h] for d in found])
        answer = self._tracker.update(
            self._sv.Detections(
                xyxy=boxes.reshape(-1, 4),
                confidence=np.array([d.score for d in found]),
                class_id=np.zeros(len(found), int),
                data={"row": np.arange(len(found))},
            )
        )
        numbers = [-1] * len(found)
        for row, number in zip(answer.data.get("row", []), answer.tracker_id, strict=True):
            numbers[int(row)] = int(number)
        return numbers


class ByteTrack(OfTrackers):
    """Boxes and a Kalman filter; detections with low scores are matched last."""

    def __init__(self, fps: float) -> None:
        from trackers import ByteTrackTracker

        super().__init__(
            ByteTrackTracker(
                frame_rate=fps, track_activation_threshold=0.0, minimum_consecutive_frames=1
            )
        )


class OCSort(OfTrackers):
    """Boxes and a Kalman filter that is corrected when a lost person is found again."""

    def __init__(self, fps: float) -> None:
        from trackers import OCSORTTracker

        super().__init__(OCSORTTracker(frame_rate=fps, minimum_consecutive_frames=1))


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
    """Return the ground-truth track of each detection, or -1."""
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


class Account:
    """The results of one tracker on one street."""

    def __init__(self, kind: type[Any], fps: float) -> None:
        self.tracker: Tracker = kind(fps)
        self.cpu_s = 0.0
        self.credited = self.switches = 0
        self._last: dict[int, int] = {}
        self._of_track: dict[int, set[int]] = defaultdict(set)
        self._of_person: dict[int, set[int]] = defaultdict(set)

    def step(self, image: Any, found: list[Detection], owners: list[int], seconds: float) -> None:
        begun = time.thread_time()
        numbers = self.tracker.step(image, found, seconds)
        self.cpu_s += time.thread_time() - begun
        for number, owner in zip(numbers, owners, strict=True):
            if number < 0 or owner < 0:
                continue
            self.credited += 1
            self.switches += self._last.get(number, owner) != owner
            self._last[number] = owner
            self._of_track[number].add(owner)
            self._of_person[owner].add(number)

    def figures(self) -> Counter[str]:
        return Counter(
            switches=self.switches,
            mixed=sum(len(owners) > 1 for owners in self._of_track.values()),
            fragments=sum(len(numbers) - 1 for numbers in self._of_person.values()),
            tracks=len(self._of_track),
            people=len(self._of_person),
            credited=self.credited,
        )


def measure(kinds: list[type[Any]], street: Street) -> dict[str, tuple[Counter[str], float]]:
    """Return each tracker's figures on a street, and its own CPU milliseconds per frame."""
    accounts = {kind.__name__: Account(kind, street.fps) for kind in kinds}
    frames = 0
    source = open_source("street", str(street.folder / "video.mp4"), epoch=1, start=START)
    for frame in source.frames():
        height, width = frame.image.shape[:2]
        found = street.detector.detect([frame.image], input_size_for(width, height, None))[0]
        owners = people(found, street.truth.get(frame.seq, []))
        frames += 1
        for account in accounts.values():
            account.step(frame.image, found, owners, frame.seq / street.fps)
    source.close()
    street.detector.save()
    return {
        name: (account.figures(), 1000 * account.cpu_s / max(frames, 1))
        for name, account in accounts.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/openlfr/tune")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kinds: list[type[Any]] = []
    for kind in (Ours, ByteTrack, OCSort, Norfair):
        try:
            kind(10.0)
            kinds.append(kind)
        except ModuleNotFoundError as error:
            print(f"{kind.__name__:10} not installed: {error.name}")
    total: dict[str, Counter[str]] = defaultdict(Counter)
    cost: dict[str, list[float]] = defaultdict(list)
    for folder in options.streets:
        for name, (figures, cpu_ms) in measure(kinds, Street(folder, options.cache)).items():
            print(f"{folder.name:8} {name:10} {_row(figures)}", flush=True)
            total[name] += figures
            cost[name].append(cpu_ms)
    for name, figures in total.items():
        mean = sum(cost[name]) / len(cost[name])
        print(f"{'all':8} {name:10} {_row(figures)} ms_per_frame {mean:.2f}")


def _row(figures: Counter[str]) -> str:
    names = ("switches", "mixed", "fragments", "tracks", "people", "credited")
    return " ".join(f"{name} {figures[name]}" for name in names)


if __name__ == "__main__":
    main()
