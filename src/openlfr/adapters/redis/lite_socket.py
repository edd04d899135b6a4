"""Where the socket of the embedded Redis lies: in its folder, or apart where that is too deep."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_LONGEST_PATH = 100  # bytes; Linux allows 107, macOS 103
_NAME, _APART = "redis.sock", "socket.txt"  # the second names a socket that lies elsewhere


def place_socket(folder: Path) -> Path:
    """Where a new server makes its socket; what a former one left is removed."""
    remove_socket(folder)
    socket = folder / _NAME
    if len(os.fsencode(socket)) > _LONGEST_PATH:
        # A socket's path is limited by the kernel, a data folder's is not, nor is TMPDIR's.
        root = tempfile.gettempdir()
        root = root if len(os.fsencode(root)) < _LONGEST_PATH / 2 else "/tmp"  # noqa: S108 - mkdtemp
        socket = Path(tempfile.mkdtemp(prefix="openlfr-", dir=root)) / _NAME
        (folder / _APART).write_text(str(socket), encoding="utf-8")
    return socket


def socket_of(folder: Path) -> Path:
    """The socket of the folder's server, whether or not it is there."""
    if (folder / _APART).exists():
        return Path((folder / _APART).read_text(encoding="utf-8"))
    return folder / _NAME


def remove_socket(folder: Path) -> None:
    """Remove what a server left, its folder apart included."""
    (folder / _NAME).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        apart = Path((folder / _APART).read_text(encoding="utf-8")).parent
        if apart.name.startswith("openlfr-"):
            shutil.rmtree(apart, ignore_errors=True)
        (folder / _APART).unlink()
