"""The blocks `cameras` and `ingest` of the configuration."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from openlfr.domain.addresses import CAMERA_SCHEMES, HINT, is_readable, redact_address
from openlfr.settings.values import (
    InputSize,
    Moment,
    Number,
    Section,
    resolve_path,
)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def _resolve_url(value: Any, info: ValidationInfo) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(
            "must be a video file, a folder of pictures, an rtsp:// or http:// address or the"
            " number of a device"
        )
    url: str = value.strip()
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() in CAMERA_SCHEMES and not is_readable(url):
        raise ValueError(f"is an address whose host and port cannot be parsed. {HINT}")
    if scheme and scheme[1].lower() not in (*CAMERA_SCHEMES, "file"):
        known = ", ".join(f"{each}://" for each in CAMERA_SCHEMES)
        raise ValueError(
            f"is no kind of address that can be opened; known are files, folders, {known} and"
            " device numbers"
        )
    if _SCHEME.match(url) or url.isdecimal() or url.startswith("/dev/"):
        return url
    return str(resolve_path(url, info))


def _position(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _on_earth(value: tuple[float, float]) -> tuple[float, float]:
    if abs(value[0]) > 90 or abs(value[1]) > 180:
        raise ValueError(
            "must be [latitude, longitude] in degrees, -90 to 90 and -180 to 180, not"
            f" {list(value)}"
        )
    return value


class Camera(Section):
    """One source of pictures, and how its frames are analysed."""

    url: Annotated[str, BeforeValidator(_resolve_url)] = Field(
        title="Source",
        description="A video file, a folder of pictures, an rtsp:// or http:// address, or the"
        " number of a device. A path is relative to the configuration file.",
        repr=False,  # an address may contain a password
    )
    fps: Number | None = Field(
        default=None, gt=0, le=1000, title="Analysed frames per second",
        description="Sampling rate, by the video's own timestamps. Left out: every frame; a folder"
        " of pictures plays at 1 per second.",
    )  # fmt: skip
    start: Moment | None = Field(
        default=None, title="Start",
        description="When a file's first frame was captured. Left out: the recording date in the"
        " file; without one the start of the run, and its alerts are marked 'time assumed'.",
    )  # fmt: skip
    input_size: InputSize | None = Field(
        default=None, title="Detector input",
        description="Size, in pixels, to which pictures are scaled for the detector: 1280"
        " (longer side), [1280, 736] or '1280x736'. A larger size finds smaller faces and costs"
        " more: at 640 faces from about 48 pixels in a 720p picture, at 960 and more from about"
        " 32. Left out: the picture's own size, 960 at most.",
    )  # fmt: skip
    loop: bool = Field(
        default=False, strict=True, title="Loop",
        description="Play a file again and again (soak tests, demonstrations).",
    )  # fmt: skip
    position: (
        Annotated[tuple[Number, Number], BeforeValidator(_position), AfterValidator(_on_earth)]
        | None
    ) = Field(
        default=None, title="Position",
        description="[latitude, longitude] in degrees (WGS 84), to flag a subject who is sighted at"
        " two places too far apart.",
    )  # fmt: skip

    @property
    def shown_url(self) -> str:
        """The source without credentials: scheme and host, or a path."""
        return redact_address(self.url)


class Ingest(Section):
    """How the processes of `openlfr service ingest` share the cameras."""

    max_cameras: Annotated[int, Field(strict=True)] | None = Field(
        default=None, ge=1, le=100_000, title="Cameras per process",
        description="Most cameras that one ingest process reads. Left out: as many as its cores"
        " can read, by the measurement in docs/benchmarks.md.",
    )  # fmt: skip
