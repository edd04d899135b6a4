"""What is true of every frame, and the files that keep it for scoring."""

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

_VISIBLE = 0.7  # of the face's pixels


@dataclass(frozen=True, slots=True)
class FaceTruth:
    """One face in one frame.

    Attributes:
        track: Number of the pass at this camera.
        box: The face's square, pixels, whether covered or not.
        visible: Share of its pixels that are seen, 0 to 1.
        blur: Length of its motion while the shutter is open, pixels.
        px: Width, pixels.
    """

    track: int
    person: str
    listed: bool
    box: Box
    visible: float
    blur: float
    px: float

    def is_fair(self, options: StreetOptions) -> bool:
        """Large, visible and inside enough that a system can be blamed for missing it."""
        x, y, w, h = self.box
        inside = x >= 0 and y >= 0 and x + w <= options.width and y + h <= options.height
        return inside and self.visible >= _VISIBLE and self.px >= options.eligible_px

    def to_json(self) -> dict[str, Any]:
        """The entry of frames.jsonl."""
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
    """Gathers what is true of each pass while frames go by."""

    def __init__(self, options: StreetOptions, walks: Iterable[Walk]) -> None:
        self._options = options
        self._walks = {walk.track: walk for walk in walks}
        self._tracks: dict[int, dict[str, Any]] = {}

    def add(self, n: int, faces: Iterable[FaceTruth]) -> None:
        """Take in frame `n`."""
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
            if face.is_fair(self._options):
                track["eligible"].append(n)

    def tracks(self) -> list[dict[str, Any]]:
        """The entries of tracks.json, by number."""
        return [self._tracks[number] for number in sorted(self._tracks)]

    def fair_listed(self) -> int:
        """Passes of listed people with at least three fair frames: what should be found."""
        return sum(t["watch"] and len(t["eligible"]) >= 3 for t in self._tracks.values())


def frame_line(n: int, light: float, faces: Iterable[FaceTruth], options: StreetOptions) -> str:
    """The line of frames.jsonl."""
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
    """Write tracks.json: the arguments, the hash of all pixels, and every pass."""
    arguments = asdict(options) | {"camera": camera}
    content = {"args": arguments, "pixels_sha256": pixels_sha256, "tracks": tracks}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "tracks.json").write_text(text + "\n", encoding="utf-8")


def write_references(folder: Path, references: Mapping[str, tuple[Path, ...]]) -> None:
    """Write enrol.json: each listed person and the photos to enrol."""
    content = {name: [str(p) for p in photos] for name, photos in references.items()}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "enrol.json").write_text(text + "\n", encoding="utf-8")
