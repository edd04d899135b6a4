"""Opens video files of allowed formats, and chooses their video stream.

Only the given file may be opened, but the library would follow references: a playlist opens other
files and addresses, a session description listens on the network, and a name with `%d` is a series
of pictures. So only formats that contain their pictures are allowed, and only the protocol `file`.
"""

from __future__ import annotations

import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError
from av.stream import Disposition

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream

RAW_FORMATS = (
    "h264", "hevc", "vvc", "m4v", "mpegvideo", "mjpeg", "mjpeg_2000", "obu", "av1", "vc1",
    "cavsvideo", "avs2", "avs3", "h261", "h263", "dirac", "evc", "ipu",
)  # fmt: skip
"""Formats without times; the library invents times."""
FORMATS_WITHOUT_PRESENTATION_TIMES = ("avi",)
"""Formats with decoding times only."""
FORMATS_WITH_SPARSE_TIMES = ("mpeg",)
"""Formats in which only some frames have a time. The library's times of the other frames depend on
the position where reading began."""
_CONTAINERS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "flv", "live_flv", "kux", "asf", "asf_o", "ogg",
    "ivf", "mxf", "gxf", "lxf", "nut", "nuv", "dv", "rm", "wtv", "ty", "nsv", "dhav", "mpjpeg",
    "smjpeg", "yuv4mpegpipe", "gif", "apng", "mods", "ifv", "mcc", "hxvs", "iv8", "ivr", "pva",
    "vc1test", "lmlm4",
)  # fmt: skip
"""Formats that contain their pictures; dhav, ifv, hxvs, iv8 and kux are formats of recorders."""
_LOCAL_FILES_ONLY = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(
        (*RAW_FORMATS, *_CONTAINERS, "mp3", "aac", "wav", "flac", "mp2", "aiff")
    ),
}
"""Options of the library. Sound formats are allowed, so that the error message can report that the
file has no video."""
_NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails
_REFERENCE_FORMATS = (
    (b"#EXTM3U", "a playlist"), (b"ffconcat", "a playlist"), (b"v=0", "a session description"),
    (b"<?xml", "an XML text"), (b"<MPD", "a playlist"), (b"[playlist]", "a playlist"),
    (b"<asx", "a playlist"), (b"[Reference]", "a playlist"),
)  # fmt: skip
_PICTURES = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"BM", "BMP"), (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)  # fmt: skip
_KINDS = (
    (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"), (stat.S_ISDIR, "a folder"),
)  # fmt: skip


def require_file(camera: str, path: Path) -> None:
    """Check that a path is a regular file.

    Reading a pipe would wait, and reading a device would never end.

    Raises:
        BadInput: The file does not exist, is empty, or is not regular.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise BadInput(f"camera {camera}: {path} does not exist") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadInput(f"camera {camera}: {path} cannot be read: {why}") from error
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for is_, name in _KINDS if is_(status.st_mode)), "something else")
        raise BadInput(f"camera {camera}: {path} is {kind}, not a video file")
    if status.st_size == 0:
        raise BadInput(f"camera {camera}: {path} is empty (0 bytes)")


@contextmanager
def open_video(
    camera: str, path: Path, *, threads: int
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file, and yield its container and its video stream.

    Raises:
        BadInput: The file is not regular, or has no readable video.
    """
    require_file(camera, path)
    try:
        # The library treats a relative path such as "a:b.mp4" as an address, so pass the absolute
        # path. Tags in another encoding are common, and not needed here.
        with av.open(
            str(path.absolute()),
            "r",
            container_options=_LOCAL_FILES_ONLY,
            metadata_errors="replace",
        ) as container:
            stream = _choose_stream(camera, path, container)
            stream.thread_type = "NONE" if threads == 1 else "AUTO"
            stream.codec_context.thread_count = threads
            yield container, stream
    except (FFmpegError, OSError) as error:
        raise BadInput(f"camera {camera}: {path} {_why_unreadable(path, error)}") from error


def _choose_stream(camera: str, path: Path, container: InputContainer) -> VideoStream:
    """Return the first video stream that is neither a cover nor a preview."""
    streams = container.streams.video
    videos = [stream for stream in streams if not stream.disposition & _NO_VIDEO]
    if not videos:
        why = "contains no video"
        if streams:
            why += ", only sound with a cover picture"
        raise BadInput(f"camera {camera}: {path} {why}")
    stream = videos[0]
    if stream.codec_context is None:  # an unknown codec; the library's types do not declare it
        raise BadInput(
            f"camera {camera}: {path} cannot be read as a video: its codec is not recognised; the"
            " file may be truncated"
        )
    return stream


def _why_unreadable(path: Path, error: Exception) -> str:
    """Return why a file cannot be read as a video, as the rest of a sentence."""
    try:
        with path.open("rb") as file:
            beginning = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        beginning = b""
    for sign, kind in _REFERENCE_FORMATS:
        if beginning[: len(sign)].lower() == sign.lower():
            return (
                f"is {kind}, not a video; references to other files are not followed; give the"
                " path of the video itself"
            )
    for sign, kind in _PICTURES:
        if beginning.startswith(sign):
            return (
                f"is a single picture ({kind}), not a video; give a folder of pictures or a video"
            )
    why = getattr(error, "strerror", None) or error
    if getattr(error, "errno", None) == 22:
        why = "its format is not supported for files"
    return f"cannot be read as a video: {why}"
