"""Reading a file that somebody names: a regular one, of a bounded size, under either spelling.

`Path.read_bytes` waits for ever on a pipe, never ends on `/dev/zero` and reads whatever a link
leads to. Accented letters have two spellings in Unicode; a Mac writes one into file names, a
spreadsheet the other, and both look the same.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

from openlfr.domain.errors import BadInput

TEXT_BYTES = 16 * 1024 * 1024
"""Of a configuration or a manifest; 100,000 rows of a manifest are about 15 MB."""
PICTURE_BYTES = 64 * 1024 * 1024

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_file(path: Path, *, at_most: int) -> bytes:
    """All bytes of a regular file.

    Raises:
        BadInput: It is not there, is no regular file (folder, pipe, device), is empty or larger
            than `at_most` bytes, or cannot be read.
    """
    try:
        _refuse_other_kinds(path, os.stat(path))  # noqa: PTH116 - opening some devices acts on them
        # Without waiting: it may have become a pipe since.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            _refuse_other_kinds(path, found)
            if found.st_size > at_most:
                raise BadInput(f"{path} has {found.st_size} bytes, at most {at_most} are read.")
            # The kernel's own files (/proc) say 0 and may never end.
            content = file.read(at_most + 1) if found.st_size else b""
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise BadInput(f"{str(path)!r} is no path: it holds a NUL character.") from None
    if not content:
        raise BadInput(f"{path} is empty.")
    if len(content) > at_most:
        raise BadInput(f"{path} grows while it is read.")
    return content


def _refuse_other_kinds(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise BadInput(f"{path} is {kind}, not a file.")


def find(path: Path) -> Path:
    """The path as it is on the disk, where only the normal form of its letters differs.

    What has exactly that name comes first; a name that nothing has stays as it is.

    Raises:
        BadInput: Several names there are spellings of it.
    """
    if str(path).isascii() or os.path.lexists(path):
        return path
    folder = find(path.parent) if path.parent != path else path
    wanted = unicodedata.normalize("NFC", path.name)
    try:
        there = os.listdir(folder)  # noqa: PTH208 - names, compared as text
    except (OSError, ValueError):
        return path
    alike = [name for name in there if unicodedata.normalize("NFC", name) == wanted]
    if len(alike) > 1:
        raise BadInput(f"{path}: {len(alike)} files have that name in another spelling; keep one.")
    return Path(folder, alike[0]) if alike else path
