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
        schemes = ", ".join(f"{each}://" for each in CAMERA_SCHEMES)
        raise ValueError(
            f"is an address of an unsupported kind; supported are files, folders, {schemes} and"
            " device numbers"
        )
    if _SCHEME.match(url) or url.isdecimal() or url.startswith("/dev/"):
        return url
    return str(resolve_path(url, info))


def _parse_position(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_coordinates(value: tuple[float, float]) -> tuple[float, float]:
    if abs(value[0]) > 90 or abs(value[1]) > 180:
        raise ValueError(
            "must be [latitude, longitude] in degrees, -90 to 90 and -180 to 180, not"
            f" {list(value)}"
        )
    return value


class Camera(Section):
    """A source of pictures, and the settings for reading and analysing its frames."""

    url: Annotated[str, BeforeValidator(_resolve_url)] = Field(
        title="Source",
        description="A video file, a folder of pictures, an rtsp:// or http:// address, or the"
        " number of a device. A path is relative to the configuration file.",
        repr=False,  # an address may contain a password
    )
    fps: Number | None = Field(
        default=None, gt=0, le=1000, title="Analysed frames per second",
        description="Sampling rate, by the video's timestamps. Default: every frame of a video, and"
        " 1 picture per second of a folder.",
    )  # fmt: skip
    start: Moment | None = Field(
        default=None, title="Start",
        description="Capture time of a file's first frame. Default: the recording date in the file."
        " A file without a date starts with the run; its alerts are marked 'time assumed'.",
    )  # fmt: skip
    input_size: InputSize | None = Field(
        default=None, title="Detector input",
        description="Size, in pixels, to which pictures are scaled for the detector: 1280"
        " (longer side), [1280, 736] or '1280x736'. A larger size detects smaller faces and takes"
        " more time. In a 720p picture, 640 detects faces from about 48 pixels, 960 and more from"
        " about 32. Default: the picture's own size, at most 960.",
    )  # fmt: skip
    loop: bool = Field(
        default=False, strict=True, title="Loop",
        description="Repeat a file without end, for soak tests and demonstrations.",
    )  # fmt: skip
    position: (
        Annotated[
            tuple[Number, Number],
            BeforeValidator(_parse_position),
            AfterValidator(_check_coordinates),
        ]
        | None
    ) = Field(
        default=None, title="Position",
        description="[latitude, longitude] in degrees (WGS 84). Used to flag a subject who is"
        " sighted at two distant places within a short time.",
    )  # fmt: skip

    @property
    def redacted_url(self) -> str:
        """The source's address without credentials: scheme and host, or a path."""
        return redact_address(self.url)


class Ingest(Section):
    """Distribution of the cameras over the processes of `openlfr service ingest`."""

    max_cameras: Annotated[int, Field(strict=True)] | None = Field(
        default=None, ge=1, le=100_000, title="Cameras per process",
        description="Maximum number of cameras of one ingest process. Default: as many as its"
        " cores can read, by the measurement in docs/benchmarks.md.",
    )  # fmt: skip
