"""Serves video files as network cameras, with GStreamer's RTSP server.

The server needs Debian's Python and GStreamer. This module reads the H.264 from the videos without
re-encoding. Then `serve` replaces its own process by the server (`cameras_server.py`), so that
signals reach the server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import av
from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError

from openlfr.domain.errors import BadInput, Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = "/usr/bin/python3"
PACKAGES = ("gir1.2-gst-rtsp-server-1.0", "gstreamer1.0-plugins-good", "python3-gi")
_SERVER = Path(__file__).with_name("cameras_server.py")
_FORBIDDEN = frozenset('/"{}#:? \\')  # characters with a meaning in addresses or in YAML


@dataclass(frozen=True, slots=True)
class CameraFilm:
    """A video's H.264, ready to be sent.

    Attributes:
        content: All access units (Annex B) in the order of decoding.
        frames: (offset, bytes, sending time, presentation time, number) of each access unit.
            Times are seconds of the film; the number is the frame's number in the file, from 0.
        seconds: Duration of one playback.
        caps: GStreamer capabilities of the stream.
        description: Format and duration, as text for people.
    """

    content: bytes
    frames: tuple[tuple[int, int, float, float, int], ...]
    seconds: float
    caps: str
    description: str


def name_cameras(videos: Sequence[str]) -> dict[str, Path]:
    """Return each camera's video, by the camera's name.

    Args:
        videos: "NAME=VIDEO", or "VIDEO" for a camera with the name of the file. If several files
            have the same name, each camera has the name of its file's folder.

    Raises:
        Misconfigured: A name is used twice, or is not allowed in an address.
    """
    parts = [video.partition("=") for video in videos]
    paths = [Path(path if sep else name) for name, sep, path in parts]
    stems = [path.stem for path in paths]
    cameras: dict[str, Path] = {}
    for (first, sep, _), path in zip(parts, paths, strict=True):
        name = first if sep else path.stem
        if not sep and stems.count(path.stem) > 1:
            name = path.absolute().parent.name
        if name in cameras:
            raise Misconfigured(
                f"Two cameras are called {name}; give one another name: {name}-2={path}."
            )
        if not name or _FORBIDDEN & set(name):
            raise Misconfigured(
                f"A camera cannot be called {name!r}; choose a name of letters: gate={path}."
            )
        cameras[name] = path
    return cameras


def read_film(path: Path) -> CameraFilm:
    """Read the H.264 of a video.

    Raises:
        BadInput: The file does not exist, is no H.264, or has no key frame or frames without times.
    """
    try:
        with av.open(str(path), "r") as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context is None:
                raise BadInput(f"{path} contains no video.")
            if stream.codec_context.name != "h264":
                raise BadInput(
                    f"{path} is {stream.codec_context.name}: cameras send H.264; convert it with"
                    f" ffmpeg -i {path.name} -c:v libx264 -bf 0 -g 10 out.mp4."
                )
            rate = stream.average_rate or stream.guessed_rate
            if not rate or stream.time_base is None:
                raise BadInput(f"{path} does not declare its frame rate.")
            width, height = stream.codec_context.width, stream.codec_context.height
            tick = float(stream.time_base)
            annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
            units = [
                (bytes(packet), packet.pts, packet.is_keyframe)
                for raw in container.demux(stream)
                for packet in annex_b.filter(raw if raw.size else None)
            ]
    except (FFmpegError, OSError) as error:
        raise BadInput(f"{path} cannot be read as a video: {error.strerror or error}") from error
    packets = [(content, pts, is_key) for content, pts, is_key in units if pts is not None]
    keys = [number for number, (*_, is_key) in enumerate(packets) if is_key]
    if not keys or len(packets) < len(units):
        raise BadInput(f"{path} has no key frame, or frames without a time.")
    numbers = {pts: number for number, pts in enumerate(sorted(pts for _, pts, _ in packets))}
    packets = packets[keys[0] :]
    # Packets in decoding order are sent at the sorted presentation times, plus a delay, so that
    # each frame's sending time is not later than its presentation time.
    slots = sorted(pts for _, pts, _ in packets)
    delay = max(pts - slot for slot, (_, pts, _) in zip(slots, packets, strict=True))
    frames, offset = [], 0
    for slot, (content, pts, _) in zip(slots, packets, strict=True):
        times = (slot - slots[0] + delay) * tick, (pts - slots[0]) * tick
        frames.append((offset, len(content), *times, numbers[pts]))
        offset += len(content)
    seconds = (slots[-1] - slots[0]) * tick + float(1 / rate)
    return CameraFilm(
        b"".join(content for content, *_ in packets),
        tuple(frames),
        seconds,
        "video/x-h264,stream-format=byte-stream,alignment=au,"
        f"width={width},height={height},framerate={rate.numerator}/{rate.denominator}",
        f"{width}x{height}, {float(rate):g} fps, {seconds:.0f} s,"
        f" a key frame every {seconds / len(keys):.2g} s",
    )


def require_server() -> None:
    """Check that Debian's packages are installed.

    Raises:
        Unavailable: A package is missing.
    """
    try:
        check = [PYTHON, "-I", str(_SERVER), "--check"]
        is_installed = subprocess.run(check, capture_output=True, check=False).returncode == 0
    except OSError:
        is_installed = False
    if not is_installed:
        raise Unavailable(
            f"Cameras need GStreamer, which {PYTHON} cannot find. Install it with apt-get install"
            f" {' '.join(PACKAGES)} (Debian, Ubuntu)."
        )


def serve(videos: Sequence[str], *, host: str, port: int, log: Path | None) -> NoReturn:
    """Replace this process by the cameras' server, which prints their addresses.

    Args:
        videos: Names and videos, as for `name_cameras`.
        host: Address to listen on.
        port: Port to listen on; 0 for any free port.
        log: File for a JSON line per sent frame; None for no log.

    Raises:
        BadInput: A video cannot be sent.
        Misconfigured: Two cameras have the same name, or a name is not allowed in an address.
        Unavailable: GStreamer's server is missing.
    """
    cameras = name_cameras(videos)
    require_server()
    if log is not None:
        log.open("a").close()
    paths = list(dict.fromkeys(cameras.values()))
    films = [read_film(path) for path in paths]
    folder = Path(tempfile.mkdtemp(prefix="openlfr-cameras-"))  # the server removes it
    plans = []
    for number, film in enumerate(films):
        (folder / f"{number}.h264").write_bytes(film.content)
        facts = {"frames": film.frames, "seconds": film.seconds, "caps": film.caps}
        plans.append({"content": f"{number}.h264", "description": film.description, **facts})
    plan = {
        "host": host,
        "port": port,
        "log": None if log is None else str(log.absolute()),
        "films": plans,
        "cameras": [{"name": name, "film": paths.index(path)} for name, path in cameras.items()],
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    sys.stdout.flush()
    os.execv(PYTHON, [PYTHON, "-I", str(_SERVER), str(folder)])  # noqa: S606 - no shell is needed
