"""Read untrusted files: regular ones only, of limited size, with either spelling of their names.

`Path.read_bytes` blocks on a pipe and never ends on `/dev/zero`. Accented letters have two
spellings in Unicode that look the same: a Mac uses one in file names, a spreadsheet the other.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

from openlfr.domain.errors import BadInput

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Most bytes of a configuration or manifest; 100,000 rows of a manifest are about 15 MB."""
MAX_PICTURE_BYTES = 64 * 1024 * 1024

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """All bytes of a regular file.

    Raises:
        BadInput: The file does not exist, is not a regular file (but a folder, pipe or device),
            is empty or larger than `max_bytes` bytes, or cannot be read.
    """
    try:
        _refuse_other_kinds(path, os.stat(path))  # noqa: PTH116 - opening some devices acts on them
        # Non-blocking, since the file may have been replaced by a pipe.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            _refuse_other_kinds(path, found)
            if found.st_size > max_bytes:
                raise BadInput(f"{path} has {found.st_size} bytes, at most {max_bytes} are read.")
            # The kernel's files (/proc) report size 0 and may never end.
            content = file.read(max_bytes + 1) if found.st_size else b""
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise BadInput(f"{str(path)!r} is no path: it holds a NUL character.") from None
    if not content:
        raise BadInput(f"{path} is empty.")
    if len(content) > max_bytes:
        raise BadInput(f"{path} grows while it is read.")
    return content


def _refuse_other_kinds(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise BadInput(f"{path} is {kind}, not a file.")


def match_spelling(path: Path) -> Path:
    """The path as spelled on the disk, where it differs in Unicode normalisation only.

    A path that exists exactly as given is preferred. A path that does not exist in any spelling
    is returned unchanged.

    Raises:
        BadInput: Several files in the folder have spellings of this name.
    """
    if str(path).isascii() or os.path.lexists(path):
        return path
    folder = match_spelling(path.parent) if path.parent != path else path
    wanted = unicodedata.normalize("NFC", path.name)
    try:
        there = os.listdir(folder)  # noqa: PTH208 - names, compared as text
    except (OSError, ValueError):
        return path
    alike = [name for name in there if unicodedata.normalize("NFC", name) == wanted]
    if len(alike) > 1:
        raise BadInput(f"{path}: {len(alike)} files have that name in another spelling; keep one.")
    return Path(folder, alike[0]) if alike else path
