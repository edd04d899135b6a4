"""Milvus Lite: a server inside this process, on one folder and behind a private Unix socket.

The folder has one process at a time. The socket is for this user alone; Milvus Lite's usual
loopback port would be open to every user of the machine, without a password.
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

_LOCK_PATIENCE_S = 5.0  # an import that is about to end keeps its lock for a moment
_MESSAGE_BYTES = 256 * 1024 * 1024
_PREFIX, _APART = "openlfr-milvus-", "socket.txt"


class LiteServer:
    """A server of one folder; its clients connect to `address`.

    Raises:
        Misconfigured: The folder is damaged.
        Unavailable: Another process uses the folder, or the disk fails.
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
                # pymilvus pings every 10 s; by default gRPC servers treat that as abuse.
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
        """Remove deleted rows from the collection's files.

        Raises:
            Unavailable: The disk fails; call it again later.
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
        """Stop the server and unlock the folder."""
        self._server.stop(grace=2).wait()
        self._workers.shutdown()
        self._database.close()
        _remove_socket(self._folder)


def _place_socket(folder: Path) -> Path:
    """The path of a new socket; the socket of a killed process is removed.

    A socket's path is limited to about 100 bytes, so the socket cannot be in a deep data folder. It
    is in the system's temporary folder, and a file in the data folder contains its path.
    """
    _remove_socket(folder)
    apart = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with suppress(OSError):  # a full disk is reported elsewhere; here it leaves a folder in /tmp
        (folder / _APART).write_text(str(apart), encoding="utf-8")
    return apart / "socket"


def _remove_socket(folder: Path) -> None:
    with suppress(FileNotFoundError):
        apart = Path((folder / _APART).read_text(encoding="utf-8"))
        if apart.name.startswith(_PREFIX):
            shutil.rmtree(apart, ignore_errors=True)
        (folder / _APART).unlink()


def _drop_indexes(folder: Path) -> None:
    """Delete index files, so that Milvus Lite builds them again from the vectors.

    Milvus Lite (3.2.2) writes indexes in place, so a process killed meanwhile leaves a file that
    keeps the collection from loading. With exact search the vectors themselves are the index.
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
