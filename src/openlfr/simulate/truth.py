"""The truth about every frame, and its files for scoring."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from openlfr.domain.faces import Box
    from openlfr.simulate.options import StreetOptions
    from openlfr.simulate.walks import Walk

_MIN_VISIBLE = 0.7  # minimum visible share of an eligible face's pixels
_MIN_FINDABLE_FRAMES = 3
"""Minimum number of eligible frames of a pass that should be found."""


@dataclass(frozen=True, slots=True)
class FaceTruth:
    """One face in one frame.

    Attributes:
        track: Number of the pass at this camera.
        person: Name of the person.
        listed: Whether the person is on the watchlist.
        box: Square of the whole face, covered parts included, pixels.
        visible: Share of the face's pixels that are visible, 0 to 1.
        blur: Motion of the face while the shutter is open, pixels.
        px: Width of the face, pixels.
    """

    track: int
    person: str
    listed: bool
    box: Box
    visible: float
    blur: float
    px: float

    def is_eligible(self, options: StreetOptions) -> bool:
        """Return whether the face is large enough, visible enough, and inside the picture."""
        x, y, w, h = self.box
        inside = x >= 0 and y >= 0 and x + w <= options.width and y + h <= options.height
        return inside and self.visible >= _MIN_VISIBLE and self.px >= options.eligible_px

    def to_json(self) -> dict[str, Any]:
        """Return the face's entry in frames.jsonl."""
        return {
            "track": self.track,
            "id": self.person,
            "watch": self.listed,
            "box": [round(float(v), 1) for v in self.box],
            "px": round(self.px, 1),
            "blur": round(self.blur, 1),
            "vis": round(self.visible, 2),
        }


class TrackTruth:
    """Collects the truth about each pass, frame by frame."""

    def __init__(self, options: StreetOptions, walks: Iterable[Walk]) -> None:
        self._options = options
        self._walks = {walk.track: walk for walk in walks}
        self._tracks: dict[int, dict[str, Any]] = {}

    def add(self, n: int, faces: Iterable[FaceTruth]) -> None:
        """Add the faces of frame `n`."""
        for face in faces:
            track = self._tracks.setdefault(
                face.track,
                {
                    "track": face.track,
                    "id": face.person,
                    "watch": face.listed,
                    "probe": str(self._walks[face.track].photo),
                    "first": n,
                    "last": n,
                    "eligible": [],
                    "max_px": 0.0,
                },
            )
            track["last"] = n
            track["max_px"] = max(track["max_px"], round(face.px, 1))
            if face.is_eligible(self._options):
                track["eligible"].append(n)

    def tracks(self) -> list[dict[str, Any]]:
        """Return the entries of tracks.json, ordered by number."""
        return [self._tracks[number] for number in sorted(self._tracks)]

    def count_findable(self) -> int:
        """Count passes of listed people that should be found."""
        return sum(
            t["watch"] and len(t["eligible"]) >= _MIN_FINDABLE_FRAMES for t in self._tracks.values()
        )


def frame_line(n: int, light: float, faces: Iterable[FaceTruth], options: StreetOptions) -> str:
    """Return a frame's line in frames.jsonl."""
    entry = {
        "n": n,
        "t": round(n / options.fps, 3),
        "gain": round(light, 3),
        "faces": [face.to_json() for face in faces],
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"


def write_tracks(
    folder: Path,
    options: StreetOptions,
    camera: str,
    pixels_sha256: str,
    tracks: list[dict[str, Any]],
) -> None:
    """Write tracks.json: the options, the hash of all pixels, and every pass."""
    arguments = asdict(options) | {"camera": camera}
    content = {"args": arguments, "pixels_sha256": pixels_sha256, "tracks": tracks}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "tracks.json").write_text(text + "\n", encoding="utf-8")


def write_references(folder: Path, references: Mapping[str, tuple[Path, ...]]) -> None:
    """Write enrol.json: the reference photos of each listed person."""
    content = {name: [str(p) for p in photos] for name, photos in references.items()}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "enrol.json").write_text(text + "\n", encoding="utf-8")
