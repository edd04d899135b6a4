"""`openlfr simulate`: create street videos with ground truth, and serve videos as cameras."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import click

from openlfr.cli import DONE, SOMETHING_FAILED
from openlfr.terminal import say


@click.group()
def command() -> None:
    """Create street videos with ground truth, and serve videos as cameras."""


@command.command(context_settings={"show_default": True})
@click.option("--faces", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Photos, a folder per person: NAME/*.jpg or images/NAME/*.jpg.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Folder for video, truth, manifest.csv and CONFIG.yaml.")  # fmt: skip
@click.option("--seed", type=int, default=1, help="Random seed; equal seeds give equal pixels.")
@click.option("--seconds", type=int, default=60, help="Length of each video, seconds.")
@click.option("--fps", type=int, default=10, help="Frames per second.")
@click.option("--width", type=int, default=1280, help="Width of the picture, pixels.")
@click.option("--height", type=int, default=720, help="Height of the picture, pixels.")
@click.option("--people", type=int, default=60, help="Number of walks through the street.")
@click.option("--cameras", type=click.IntRange(1, 26), default=1,
              help="Number of cameras; people walk from one to the next.")  # fmt: skip
@click.option("--watchlist", type=int, default=20, help="Number of listed people.")
@click.option("--enrol", type=int, default=2,
              help="Reference photos per listed person; the video does not use them.")  # fmt: skip
@click.option("--min-px", type=int, default=40, help="Width of the farthest face, pixels.")
@click.option("--max-px", type=int, default=160, help="Width of the nearest face, pixels.")
@click.option(
    "--eligible-px", type=int, default=48, help="Minimum width of a detectable face, pixels."
)
@click.option("--crf", type=int, default=23, help="H.264 quality, 0 (lossless) to 51.")
@click.option("--watch-share", type=float, default=0.3, help="Share of walks by listed people.")
@click.option("--shutter", type=float, default=0.35, help="Exposure, as a share of the frame time.")
@click.option("--noise", type=float, default=2.0, help="Noise of the sensor, grey levels.")
@click.option("--quiet", is_flag=True, help="Print only problems.")
def street(faces: Path, out: Path, cameras: int, *, quiet: bool, **values: Any) -> int:
    """Simulate a street with people from your own photos.

    The command writes video.mp4 with each frame's number in its top left corner, frames.jsonl
    and tracks.json (the truth), enrol.json, a manifest.csv for `openlfr watchlist import` and a
    CONFIG.yaml for `openlfr run`. No person is in two places at the same time.
    """
    from rich.console import Console

    from openlfr.bootstrap import load_detector
    from openlfr.cli.street_progress import StreetProgress
    from openlfr.simulate import StreetOptions, make_street

    names = ("street",) if cameras == 1 else tuple(f"camera-{chr(97 + i)}" for i in range(cameras))
    options = StreetOptions(cameras=names, **values)
    console = Console(quiet=quiet)
    with StreetProgress(console, options) as progress:
        street = make_street(faces, out, options, detector=cache(load_detector), progress=progress)
    for camera in street.cameras:
        console.print(
            f"{camera.folder / 'video.mp4'}: {camera.frames} frames, {camera.passes} passes,"
            f" {camera.listed_passes} of listed people, {camera.findable_passes} of them"
            f" detectable; pixels sha256 {camera.pixels_sha256[:16]}",
            highlight=False,
            soft_wrap=True,
        )
    problems = [problem for camera in street.cameras for problem in camera.problems]
    for problem in problems:
        say(problem, err=True)
    folder = street.configuration.parent
    console.print(
        f"\nNext:  cd {folder}\n"
        "       openlfr watchlist import manifest.csv --config CONFIG.yaml\n"
        "       openlfr run CONFIG.yaml --as-fast-as-possible --alerts alerts.jsonl",
        highlight=False,
        soft_wrap=True,
    )
    return SOMETHING_FAILED if problems else DONE


@command.command(context_settings={"show_default": True})
@click.argument("videos", nargs=-1, required=True, metavar="[NAME=]VIDEO...")
@click.option("--port", type=click.IntRange(0, 65535), default=8554,
              help="Port of the cameras; 0 chooses a free port.")  # fmt: skip
@click.option("--host", default="127.0.0.1", help="Address of this machine to listen on.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False),
              help="File for a JSON line per frame: camera, loop, frame, sent_at.")  # fmt: skip
def cameras(videos: tuple[str, ...], host: str, port: int, log: Path | None) -> int:
    """Serve H.264 videos as RTSP cameras, in a loop.

    The command runs until it is stopped, and needs GStreamer's RTSP server and Debian's Python.
    It prints the cameras as lines for CONFIG.yaml. A video starts when the first client connects.
    It plays at its recorded speed, and is not encoded again.
    """
    from openlfr.simulate.cameras import serve

    serve(videos, host=host, port=port, log=log)
