"""Reads untrusted files: only regular files, of limited size.

`Path.read_bytes` blocks on a pipe and never ends on `/dev/zero`. `match_spelling` finds a file by a
name with accented letters. These letters have two spellings in Unicode that look the same: macOS
uses one in file names, spreadsheets use the other.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

from openlfr.domain.errors import BadInput

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Size limit of a configuration or manifest; 100,000 rows of a manifest are about 15 MB."""
MAX_PICTURE_BYTES = 64 * 1024 * 1024

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Return all bytes of a regular file.

    Raises:
        BadInput: The file does not exist, is not a regular file (such as a folder or pipe), is
            empty, has more than `max_bytes` bytes, or cannot be read.
    """
    try:
        # Check before opening, since opening some devices acts on them.
        _require_regular_file(path, os.stat(path))  # noqa: PTH116 - as os.fstat below
        # Non-blocking, since the file may have been replaced by a pipe.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            _require_regular_file(path, status)
            if status.st_size > max_bytes:
                raise BadInput(f"{path} has {status.st_size} bytes, at most {max_bytes} are read.")
            # The kernel's files (/proc) report size 0 and may never end.
            content = file.read(max_bytes + 1) if status.st_size else b""
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise BadInput(f"{str(path)!r} is no path: it contains a NUL character.") from None
    if not content:
        raise BadInput(f"{path} is empty.")
    if len(content) > max_bytes:
        raise BadInput(f"{path} grows while it is read.")
    return content


def _require_regular_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise BadInput(f"{path} is {kind}, not a file.")


def match_spelling(path: Path) -> Path:
    """Return the path as spelled on the disk, which may differ in Unicode normalisation.

    A path that exists in the given spelling, or in no spelling, is returned unchanged.

    Raises:
        BadInput: Several files in the folder have spellings of this name.
    """
    if str(path).isascii() or os.path.lexists(path):
        return path
    folder = match_spelling(path.parent) if path.parent != path else path
    normalised = unicodedata.normalize("NFC", path.name)
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names, compared as text
    except (OSError, ValueError):
        return path
    alike = [name for name in names if unicodedata.normalize("NFC", name) == normalised]
    if len(alike) > 1:
        raise BadInput(f"{path}: {len(alike)} files have that name in another spelling; keep one.")
    return Path(folder, alike[0]) if alike else path
