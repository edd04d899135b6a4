"""`openlfr camera check`: check whether a camera's picture is good enough for the models."""

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
    """Examine frames of each CAMERA, and print advice.

    Without CAMERA all cameras are examined. The command measures resolution, light, sharpness and
    the size of faces. It searches for nobody and stores nothing. Because it opens cameras, the
    configuration needs a complete authorisation.
    """
    from openlfr import bootstrap, settings
    from openlfr.domain.addresses import redact_addresses
    from openlfr.domain.errors import Misconfigured, OpenLFRError

    loaded = settings.load(config)
    settings.require_authorisation(loaded)
    unknown = [name for name in names if name not in loaded.cameras]
    if unknown:
        names_in_config = ", ".join(loaded.cameras) or "none"
        raise Misconfigured(
            f"{config} has no camera {unknown[0]!r}; its cameras: {names_in_config}"
        )
    if not loaded.cameras:
        raise Misconfigured(f"{config} has no camera; add a camera under cameras")
    detector = bootstrap.load_detector(loaded)
    results: dict[str, object] = {}
    failed = False
    for name in names or tuple(loaded.cameras):
        camera = loaded.cameras[name]
        try:
            result = _check_one(name, camera, detector, frames, every)
        except Exception as error:  # noqa: BLE001 - a broken camera must not stop the other checks
            failed = True
            is_own_error = isinstance(error, OpenLFRError)
            text = str(error) if is_own_error else f"camera {name}: {type(error).__name__}: {error}"
            text = redact_addresses(text)
            results[name] = {"error": text}
            say(f"error: {escape_line(text)}", err=True)
            continue
        failed = failed or bool(result.problems)
        results[name] = asdict(result) | {"start": result.start and result.start.isoformat()}
        if not as_json:
            say(_describe(name, camera, result))
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
    from openlfr.operations.check_camera import add_source_facts, check_camera
    from openlfr.stages.detect import input_size_for

    camera_source = open_source(
        name, camera.url, epoch=0, start=camera.start, fps=1 / every, reconnect=False
    )
    failures: list[str] = []
    with closing(camera_source) as source:
        try:
            check = check_camera(
                _frames_until_failure(source.frames(), failures),
                detector,
                fps=source.fps,
                input_size_for=lambda w, h: input_size_for(w, h, camera.input_size),
                limit=frames,
            )
            return add_source_facts(replace(check, fps=source.fps), source, failures)
        except BadInput as error:
            text = str(error)
            raise BadInput(text if name in text else f"camera {name}: {text}") from error


def _frames_until_failure(frames: Iterable[Frame], failures: list[str]) -> Iterator[Frame]:
    """Yield frames; raise an error before the first frame, and add a later one to `failures`."""
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


def _describe_start(result: CameraCheck) -> str:
    from openlfr.domain.frames import StartOrigin

    at = f"{result.start:%Y-%m-%d %H:%M:%S} UTC"
    origins = {
        StartOrigin.CONFIGURED: f"from {at}, as configured (start)",
        StartOrigin.RECORDED: f"from {at}, the recording date in the file",
        StartOrigin.ASSUMED: "from the start of the run: recording, time assumed",
        StartOrigin.CLOCK: "from this computer's clock",
    }
    return origins[result.start_origin or StartOrigin.CLOCK]


def _describe(name: str, camera: Camera, result: CameraCheck) -> str:
    from openlfr.operations.camera_advice import GOOD_WIDTH_PX

    rate = f" at {result.fps:g} frames a second" if result.fps else ""
    lines = [
        f"{name}: {camera.redacted_url}",
        f"  picture    {result.width}x{result.height}{rate}, {result.frames} frames examined",
        f"  time       {_describe_start(result)}",
        f"  light      {result.light:.0f} of 255",
        f"  faces      {result.faces}, {result.usable} of them large enough to be matched",
    ]
    if result.faces:
        lines.append(
            f"  size       {result.face_width:.0f} pixels wide, {result.eye_distance:.0f} between"
            f" the eyes (medians); {GOOD_WIDTH_PX:.0f} wide is enough"
        )
    if result.usable:
        size = "x".join(map(str, result.input_size))
        exposure = f"exposure {result.exposure:.2f} (0 to 1, medians)"
        lines += [
            f"  sharpness  {result.sharpness:.2f}, {exposure}",
            f"  detector   at {size} detects {result.seen} of {result.usable}",
        ]
    lines += [f"  -> {sentence}" for sentence in result.advice or ("nothing to improve",)]
    return "\n".join(lines)
