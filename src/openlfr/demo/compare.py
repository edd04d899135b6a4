"""Compares alert events with the truth of a simulated street."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openlfr.domain.faces import Box
from openlfr.domain.summary import KnownTruth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent

_MIN_OVERLAP = 0.2  # minimum intersection over union of an alert's box and the face's box
_MIN_FRAMES = 3  # a listed pass with fewer eligible frames does not count as missed


def compare(
    streets: Mapping[str, Path], events: Iterable[tuple[AlertEvent, Sequence[int]]]
) -> KnownTruth:
    """Count the found and missed passes of listed people, and the wrong events of a run.

    An event is right if its box overlaps the true face of the event's subject in one of the given
    frames. Every other event is wrong. A pass with fewer than `_MIN_FRAMES` eligible frames is
    neither found nor missed.

    Args:
        streets: Folder with frames.jsonl and tracks.json, by camera.
        events: Events of the run, each with the numbers of its possible frames in the film.
    """
    found_passes: set[tuple[str, int]] = set()
    wrong = 0
    frames = {camera: _read_frames(folder) for camera, folder in streets.items()}
    for event, numbers in events:
        sighting = event.sighting
        track = next(
            (
                face["track"]
                for number in numbers
                for face in frames[sighting.camera].get(number, ())
                if face["watch"]
                and face["id"] == sighting.subject
                and Box(*face["box"]).iou(sighting.box) >= _MIN_OVERLAP
            ),
            None,
        )
        if track is None:
            wrong += 1
        else:
            found_passes.add((sighting.camera, track))
    tracks = [(camera, t) for camera, folder in streets.items() for t in _read_tracks(folder)]
    findable = [
        (camera, t) for camera, t in tracks if t["watch"] and len(t["eligible"]) >= _MIN_FRAMES
    ]
    missed = [(camera, t) for camera, t in findable if (camera, t["track"]) not in found_passes]
    return KnownTruth(
        passes=len(findable),
        found=len(findable) - len(missed),
        strangers=sum(not t["watch"] for _, t in tracks),
        wrong=wrong,
        missed=tuple(
            f"{t['id']} was not found at {camera}, frames {t['first']} to {t['last']}"
            f" (a face of {t['max_px']:.0f} pixels at most)"
            for camera, t in missed
        ),
    )


def _read_frames(folder: Path) -> dict[int, list[dict[str, Any]]]:
    with (folder / "frames.jsonl").open(encoding="utf-8") as lines:
        return {entry["n"]: entry["faces"] for entry in map(json.loads, lines)}


def _read_tracks(folder: Path) -> list[dict[str, Any]]:
    content = json.loads((folder / "tracks.json").read_text(encoding="utf-8"))
    tracks: list[dict[str, Any]] = content["tracks"]
    return tracks
