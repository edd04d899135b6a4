"""Makes a street: plans it, films every camera, writes the truth and a deployment around it."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.errors import Unavailable
from openlfr.simulate.deployment import write_configuration, write_manifest
from openlfr.simulate.film import Film
from openlfr.simulate.journeys import plan_street
from openlfr.simulate.people import read_people
from openlfr.simulate.street import Street
from openlfr.simulate.truth import TrackTruth, frame_line, write_references, write_tracks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openlfr.ports import FaceDetector
    from openlfr.simulate.journeys import Plan
    from openlfr.simulate.options import StreetOptions


@dataclass(frozen=True, slots=True)
class CameraMade:
    """One camera's video and truth.

    Attributes:
        folder: Holds video.mp4, frames.jsonl, tracks.json and enrol.json.
        pixels_sha256: Of every frame before encoding, in order.
        passes, listed_passes: Of anybody, and of listed people.
        fair_passes: Of listed people with at least three fair frames: what should be found.
        problems: Photos that could not walk, a sentence each.
    """

    camera: str
    folder: Path
    frames: int
    pixels_sha256: str
    passes: int
    listed_passes: int
    fair_passes: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreetMade:
    """What `make_street` wrote."""

    cameras: tuple[CameraMade, ...]
    manifest: Path
    configuration: Path


def make_street(
    faces: Path,
    out: Path,
    options: StreetOptions,
    *,
    detector: Callable[[], FaceDetector],
    now: datetime | None = None,
    progress: Callable[[str, int], None] = lambda _camera, _frames: None,
) -> StreetMade:
    """Make a street under `out`; the same options and photos give the same pixels.

    One camera's files stand in `out` itself, those of several in a folder each.

    Args:
        faces: Holds images/NAME/*.jpg or NAME/*.jpg.
        out: Is created; files of the same names are replaced.
        options: What is asked.
        detector: Gives a detector; called only for photos that are not in LFW's format. It is
            used from one thread.
        now: When it is filmed, UTC; the clock's time if not given. No pixel depends on it.
        progress: Is called with a camera and its number of finished frames, from any thread.

    Raises:
        Misconfigured: The photos are too few for the options.
        Unavailable: A file cannot be written.
    """
    now = now or datetime.now(UTC)
    plan = plan_street(options, read_people(faces.absolute()))
    single = len(options.cameras) == 1
    folders = {name: out if single else out / name for name in options.cameras}
    streets = {name: Street(options, name, plan.walks[name], detector) for name in options.cameras}

    def film(name: str) -> CameraMade:
        return _film(folders[name], options, name, streets[name], plan, progress)

    try:
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        # OpenCV and libx264 let go of the interpreter, so cameras share the cores as threads.
        with ThreadPoolExecutor(min(len(folders), os.cpu_count() or 1)) as pool:
            made = tuple(pool.map(film, folders))
        manifest = write_manifest(out, plan.references, now=now)
        videos = {name: folder / "video.mp4" for name, folder in folders.items()}
        configuration = write_configuration(out, options, videos, now=now)
    except OSError as error:
        where = error.filename or out
        raise Unavailable(f"{where} cannot be written: {error.strerror or error}") from error
    return StreetMade(made, manifest, configuration)


def _film(
    folder: Path,
    options: StreetOptions,
    camera: str,
    street: Street,
    plan: Plan,
    progress: Callable[[str, int], None],
) -> CameraMade:
    truth, pixels = TrackTruth(options, street.walks), hashlib.sha256()
    size = {"width": options.width, "height": options.height}
    with (
        Film(folder / "video.mp4", fps=options.fps, crf=options.crf, **size) as film,
        (folder / "frames.jsonl").open("w", encoding="utf-8") as frames,
    ):
        for shot in street.shots():
            film.add(shot.image)
            pixels.update(shot.image.data)
            frames.write(frame_line(shot.n, shot.light, shot.faces, options))
            truth.add(shot.n, shot.faces)
            progress(camera, shot.n + 1)
    tracks = truth.tracks()
    write_tracks(folder, options, camera, pixels.hexdigest(), tracks)
    write_references(folder, plan.references)
    return CameraMade(
        camera=camera,
        folder=folder,
        frames=options.frames,
        pixels_sha256=pixels.hexdigest(),
        passes=len(tracks),
        listed_passes=sum(bool(t["watch"]) for t in tracks),
        fair_passes=truth.fair_listed(),
        problems=tuple(street.problems),
    )
