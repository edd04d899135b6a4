"""The socket of the embedded Redis, in its folder or, if that path is too long, elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_MAX_PATH_BYTES = 100  # Linux allows 107, macOS 103
_NAME = "redis.sock"
_PATH_FILE = "socket.txt"  # contains the path of a socket outside the folder


def choose_socket_path(folder: Path) -> Path:
    """Choose the path of a new server's socket, and remove the files of an earlier server."""
    remove_socket(folder)
    socket = folder / _NAME
    if len(os.fsencode(socket)) > _MAX_PATH_BYTES:
        # The kernel limits the length of a socket's path; a data folder or TMPDIR may be longer.
        root = tempfile.gettempdir()
        root = root if len(os.fsencode(root)) < _MAX_PATH_BYTES / 2 else "/tmp"  # noqa: S108 - mkdtemp
        socket = Path(tempfile.mkdtemp(prefix="openlfr-", dir=root)) / _NAME
        (folder / _PATH_FILE).write_text(str(socket), encoding="utf-8")
    return socket


def read_socket_path(folder: Path) -> Path:
    """Return the path of the server's socket, which may be missing."""
    if (folder / _PATH_FILE).exists():
        return Path((folder / _PATH_FILE).read_text(encoding="utf-8"))
    return folder / _NAME


def remove_socket(folder: Path) -> None:
    """Remove a server's socket, and the socket's own folder if it is not in `folder`."""
    (folder / _NAME).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        socket_folder = Path((folder / _PATH_FILE).read_text(encoding="utf-8")).parent
        if socket_folder.name.startswith("openlfr-"):
            shutil.rmtree(socket_folder, ignore_errors=True)
        (folder / _PATH_FILE).unlink()
