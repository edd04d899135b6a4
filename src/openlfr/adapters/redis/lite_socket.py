"""The socket of the embedded Redis: in its folder, or elsewhere if that path is too long."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_LONGEST_PATH = 100  # bytes; Linux allows 107, macOS 103
_NAME, _APART = "redis.sock", "socket.txt"  # the second contains the path of a socket elsewhere


def place_socket(folder: Path) -> Path:
    """The socket's path for a new server; files of an earlier server are removed."""
    remove_socket(folder)
    socket = folder / _NAME
    if len(os.fsencode(socket)) > _LONGEST_PATH:
        # The kernel limits the length of a socket's path; a data folder or TMPDIR may be longer.
        root = tempfile.gettempdir()
        root = root if len(os.fsencode(root)) < _LONGEST_PATH / 2 else "/tmp"  # noqa: S108 - mkdtemp
        socket = Path(tempfile.mkdtemp(prefix="openlfr-", dir=root)) / _NAME
        (folder / _APART).write_text(str(socket), encoding="utf-8")
    return socket


def socket_of(folder: Path) -> Path:
    """The path of the server's socket, which need not exist."""
    if (folder / _APART).exists():
        return Path((folder / _APART).read_text(encoding="utf-8"))
    return folder / _NAME


def remove_socket(folder: Path) -> None:
    """Remove a server's socket, also one elsewhere with its folder."""
    (folder / _NAME).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        apart = Path((folder / _APART).read_text(encoding="utf-8")).parent
        if apart.name.startswith("openlfr-"):
            shutil.rmtree(apart, ignore_errors=True)
        (folder / _APART).unlink()
