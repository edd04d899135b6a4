"""Makes a street: plans it, films every camera, writes the truth and a configuration."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.errors import Unavailable
from openlfr.simulate.deployment import write_configuration, write_manifest
from openlfr.simulate.film import FilmWriter
from openlfr.simulate.journeys import plan_street
from openlfr.simulate.people import read_people
from openlfr.simulate.street import Street
from openlfr.simulate.truth import TrackTruth, frame_line, write_references, write_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from openlfr.ports import FaceDetector
    from openlfr.simulate.journeys import StreetPlan
    from openlfr.simulate.options import StreetOptions
    from openlfr.simulate.people import Person


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """One camera's video and truth.

    Attributes:
        camera: Name of the camera.
        folder: Folder with video.mp4, frames.jsonl, tracks.json and enrol.json.
        frames: Number of frames.
        pixels_sha256: Hash of all frames before encoding, in order.
        passes: Number of passes.
        listed_passes: Number of passes of listed people.
        findable_passes: Number of listed passes with at least three eligible frames; these should
            be found.
        problems: Photos that could not be drawn, a sentence each.
    """

    camera: str
    folder: Path
    frames: int
    pixels_sha256: str
    passes: int
    listed_passes: int
    findable_passes: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimulatedStreet:
    """The cameras and files that `make_street` wrote."""

    cameras: tuple[SimulatedCamera, ...]
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
) -> SimulatedStreet:
    """Make a street under `out`; equal options and photos result in equal pixels.

    The files of a single camera are written to `out` itself; several cameras have a folder each.

    Args:
        faces: Folder with images/NAME/*.jpg or NAME/*.jpg.
        out: Folder to create; files with the same names are replaced.
        options: Options of the street.
        detector: Loads a detector; called only for photos that are not in LFW's format, and from
            one thread.
        now: Filming time, UTC; None for the current time. Pixels do not depend on this time.
        progress: Called from any thread, with a camera and its number of finished frames.

    Raises:
        Misconfigured: The photos are too few for the options.
        Unavailable: A file cannot be written.
    """
    now = now or datetime.now(UTC)
    plan = plan_street(options, read_people(faces.absolute()))
    single = len(options.cameras) == 1
    folders = {name: out if single else out / name for name in options.cameras}
    streets = {name: Street(options, name, plan.walks[name], detector) for name in options.cameras}

    def film(name: str) -> SimulatedCamera:
        return _film(folders[name], options, name, streets[name], plan, progress)

    try:
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        # OpenCV and libx264 release the interpreter lock, so cameras are filmed in threads.
        with ThreadPoolExecutor(min(len(folders), os.cpu_count() or 1)) as pool:
            cameras = tuple(pool.map(film, folders))
        manifest = write_manifest(out, plan.references, now=now)
        videos = {name: folder / "video.mp4" for name, folder in folders.items()}
        configuration = write_configuration(out, options, videos, now=now)
    except OSError as error:
        path = error.filename or out
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error
    return SimulatedStreet(cameras, manifest, configuration)


def film_people(
    people: Sequence[Person],
    out: Path,
    options: StreetOptions,
    *,
    detector: Callable[[], FaceDetector],
    progress: Callable[[str, int], None] = lambda _camera, _frames: None,
) -> SimulatedCamera:
    """Film people, none of them listed, on a street with one camera; write film and truth to `out`.

    Raises:
        Unavailable: A file cannot be written.
    """
    plan = plan_street(options, people)
    (camera,) = options.cameras
    street = Street(options, camera, plan.walks[camera], detector)
    try:
        out.mkdir(parents=True, exist_ok=True)
        return _film(out, options, camera, street, plan, progress)
    except OSError as error:
        path = error.filename or out
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error


def _film(
    folder: Path,
    options: StreetOptions,
    camera: str,
    street: Street,
    plan: StreetPlan,
    progress: Callable[[str, int], None],
) -> SimulatedCamera:
    truth, pixels = TrackTruth(options, street.walks), hashlib.sha256()
    size = {"width": options.width, "height": options.height}
    with (
        FilmWriter(folder / "video.mp4", fps=options.fps, crf=options.crf, **size) as film,
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
    return SimulatedCamera(
        camera=camera,
        folder=folder,
        frames=options.frames,
        pixels_sha256=pixels.hexdigest(),
        passes=len(tracks),
        listed_passes=sum(bool(t["watch"]) for t in tracks),
        findable_passes=truth.count_findable(),
        problems=tuple(street.problems),
    )
