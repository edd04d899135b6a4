"""Milvus Lite on one folder, inside this process, behind a private Unix socket.

A second process is refused the folder. It is served on a socket that only this user can reach,
since its usual loopback port asks nobody for a password.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc

from openlfr.adapters.milvus.rewrite import rewrite
from openlfr.domain.errors import Misconfigured, Unavailable

_LOCK_PATIENCE_S = 5.0  # an import that is just finishing holds the folder for a moment
_MESSAGE_BYTES = 256 * 1024 * 1024
_PREFIX, _APART = "openlfr-milvus-", "socket.txt"


class LiteServer:
    """A server of one folder; its clients connect to `address`.

    Raises:
        Misconfigured: The folder is damaged.
        Unavailable: Another process uses the folder, or the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        from milvus_lite.adapter.grpc.servicer import MilvusServicer
        from pymilvus.grpc_gen import milvus_pb2_grpc

        self._folder = folder
        self._database = _open_lite(folder)
        _drop_indexes(folder)
        self._workers = futures.ThreadPoolExecutor(2, thread_name_prefix="milvus-lite")
        self._server = grpc.server(
            self._workers,
            options=[
                ("grpc.max_receive_message_length", _MESSAGE_BYTES),
                ("grpc.max_send_message_length", _MESSAGE_BYTES),
                # pymilvus pings every 10 s, which a server takes for abuse unless told otherwise.
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.max_ping_strikes", 0),
            ],
        )
        self.address = f"unix:{_place_socket(folder)}"
        milvus_pb2_grpc.add_MilvusServiceServicer_to_server(
            MilvusServicer(self._database), self._server
        )
        self._server.add_insecure_port(self.address)
        self._server.start()

    def rewrite(self, collection: str) -> None:
        """Leave nothing in the collection's files but its live rows.

        Raises:
            Unavailable: The disk refuses; call it again later.
        """
        if not self._database.has_collection(collection):
            return
        try:
            rewrite(self._database.get_collection(collection))
        except OSError as error:
            raise Unavailable(
                f"Erased templates in {self._folder} cannot be taken off the disk "
                f"({error.strerror or error}): check it and its free space, and try again."
            ) from error

    def close(self) -> None:
        """Stop it and free the folder."""
        self._server.stop(grace=2).wait()
        self._workers.shutdown()
        self._database.close()
        _remove_socket(self._folder)


def _place_socket(folder: Path) -> Path:
    """Where the holder of the folder makes its socket; what a killed one left is removed.

    A socket's path is limited to about 100 bytes, so it cannot stand in a deep data folder, where
    a file names it instead.
    """
    _remove_socket(folder)
    apart = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with suppress(OSError):  # a full disk has its own sentence, and this costs a folder in /tmp
        (folder / _APART).write_text(str(apart), encoding="utf-8")
    return apart / "socket"


def _remove_socket(folder: Path) -> None:
    with suppress(FileNotFoundError):
        apart = Path((folder / _APART).read_text(encoding="utf-8"))
        if apart.name.startswith(_PREFIX):
            shutil.rmtree(apart, ignore_errors=True)
        (folder / _APART).unlink()


def _drop_indexes(folder: Path) -> None:
    """Have indexes made anew from the vectors: what was left half written cannot be loaded.

    Milvus Lite (3.2.2) writes them in place, so that a process that is killed meanwhile leaves a
    file with which nothing can be loaded any more. Exact search has its vectors as its index.
    """
    for index in folder.rglob("*.idx"):
        index.unlink(missing_ok=True)


def _open_lite(folder: Path) -> Any:
    from milvus_lite.db import MilvusLite
    from milvus_lite.exceptions import DataDirLockedError, MilvusLiteError

    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return MilvusLite(str(folder))
        except DataDirLockedError:
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"The watchlist's vectors in {folder} are used by another process: stop the "
                    "other `openlfr run` (or wait for an import to end) and try again."
                ) from None
            time.sleep(0.1)
        except OSError as error:
            raise Unavailable(
                f"The watchlist's vectors in {folder} cannot be opened ({error.strerror}): check "
                "the folder, its permissions and the free space of its disk."
            ) from error
        except MilvusLiteError as error:
            raise Misconfigured(
                f"The watchlist's vectors in {folder} are damaged ({error}): restore the data "
                "folder from a backup, or move that folder away and import the watchlist again."
            ) from error
