"""`openlfr camera check`: is a camera's picture good enough for the models?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from openlfr.cli import SOMETHING_FAILED, config_option
from openlfr.domain.text import escape_line
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from openlfr.domain.frames import Frame
    from openlfr.operations.camera_advice import CameraCheck
    from openlfr.ports import FaceDetector
    from openlfr.settings import Camera


@click.group(name="camera")
def command() -> None:
    """Check whether a camera's picture is good enough for the models."""


@command.command()
@click.argument("names", metavar="[CAMERA]...", nargs=-1)
@config_option
@click.option("--frames", default=30, show_default=True, type=click.IntRange(1, 10_000),
              help="Number of frames to examine.")  # fmt: skip
@click.option("--every", default=1.0, show_default=True, type=click.FloatRange(0.01, 3600),
              help="Seconds between two frames.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for all cameras.")
def check(names: tuple[str, ...], config: Path, frames: int, every: float, as_json: bool) -> int:
    """Examine some frames of each CAMERA (all by default) and print what to improve.

    Measured are resolution, light, sharpness and the size of faces. Faces are located and
    measured; nobody is searched and nothing is stored. The configuration must be authorised,
    since a camera is opened.
    """
    from openlfr import bootstrap, settings
    from openlfr.domain.addresses import redact_addresses
    from openlfr.domain.errors import Misconfigured, OpenLFRError

    loaded = settings.load(config)
    settings.require_authorisation(loaded)
    unknown = [name for name in names if name not in loaded.cameras]
    if unknown:
        known = ", ".join(loaded.cameras) or "none"
        raise Misconfigured(f"{config} has no camera {unknown[0]!r}; known are: {known}")
    if not loaded.cameras:
        raise Misconfigured(f"{config} has no camera; add one under cameras")
    detector = bootstrap.load_detector(loaded)
    results: dict[str, object] = {}
    failed = False
    for name in names or tuple(loaded.cameras):
        camera = loaded.cameras[name]
        try:
            found = _check_one(name, camera, detector, frames, every)
        except Exception as error:  # noqa: BLE001 - one camera must not stop the others
            failed = True
            ours = isinstance(error, OpenLFRError)
            why = str(error) if ours else f"camera {name}: {type(error).__name__}: {error}"
            why = redact_addresses(why)
            results[name] = {"error": why}
            say(f"error: {escape_line(why)}", err=True)
            continue
        failed = failed or bool(found.problems)
        results[name] = asdict(found) | {"start": found.start and found.start.isoformat()}
        if not as_json:
            say(_described(name, camera, found))
    if as_json:
        say(json.dumps(results, indent=2))
    return SOMETHING_FAILED if failed else 0


def _check_one(
    name: str, camera: Camera, detector: FaceDetector, frames: int, every: float
) -> CameraCheck:
    from contextlib import closing
    from dataclasses import replace

    from openlfr.adapters.capture import open_source
    from openlfr.domain.errors import BadInput
    from openlfr.operations.check_camera import check_camera, with_source
    from openlfr.stages.detect import input_size_for

    opened = open_source(
        name, camera.url, epoch=0, start=camera.start, fps=1 / every, reconnect=False
    )
    failures: list[str] = []
    with closing(opened) as source:
        try:
            check = check_camera(
                _frames_until_failure(source.frames(), failures),
                detector,
                fps=source.fps,
                input_size_for=lambda w, h: input_size_for(w, h, camera.input_size),
                limit=frames,
            )
            return with_source(replace(check, fps=source.fps), source, failures)
        except BadInput as error:
            text = str(error)
            raise BadInput(text if name in text else f"camera {name}: {text}") from error


def _frames_until_failure(frames: Iterable[Frame], failures: list[str]) -> Iterator[Frame]:
    """Yield frames; a failure after the first frame is added to `failures`, as in a run."""
    from openlfr.domain.errors import OpenLFRError

    has_frames = False
    try:
        for frame in frames:
            has_frames = True
            yield frame
    except OpenLFRError as error:
        if not has_frames:
            raise
        failures.append(str(error))


def _start_of(found: CameraCheck) -> str:
    from openlfr.domain.frames import StartOrigin

    at = f"{found.start:%Y-%m-%d %H:%M:%S} UTC"
    origins = {
        StartOrigin.CONFIGURED: f"from {at}, as configured (start)",
        StartOrigin.RECORDED: f"from {at}, the recording date in the file",
        StartOrigin.ASSUMED: "from the start of the run: recording, time assumed",
        StartOrigin.CLOCK: "from this computer's clock",
    }
    return origins[found.start_origin or StartOrigin.CLOCK]


def _described(name: str, camera: Camera, found: CameraCheck) -> str:
    from openlfr.operations.camera_advice import GOOD_WIDTH

    rate = f" at {found.fps:g} frames a second" if found.fps else ""
    lines = [
        f"{name}: {camera.shown_url}",
        f"  picture    {found.width}x{found.height}{rate}, {found.frames} frames examined",
        f"  time       {_start_of(found)}",
        f"  light      {found.light:.0f} of 255",
        f"  faces      {found.faces}, of which {found.usable} are large enough to be matched",
    ]
    if found.faces:
        lines.append(
            f"  size       {found.face_width:.0f} pixels wide, {found.eye_distance:.0f} between the"
            f" eyes (medians); {GOOD_WIDTH:.0f} wide is enough"
        )
    if found.usable:
        size = "x".join(map(str, found.input_size))
        lines += [
            f"  sharpness  {found.sharpness:.2f}, exposure {found.exposure:.2f} (0 to 1, medians)",
            f"  detector   at {size} finds {found.seen} of {found.usable}",
        ]
    lines += [f"  -> {sentence}" for sentence in found.advice or ("all is well",)]
    return "\n".join(lines)
