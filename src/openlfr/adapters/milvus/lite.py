"""Milvus Lite: a server in this process, for one folder, on a private Unix socket.

One process at a time uses the folder. Only this user can open the socket. Milvus Lite's usual
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

_LOCK_TIMEOUT_S = 5.0  # an import that is about to end still has the lock
_MESSAGE_BYTES = 256 * 1024 * 1024
_PREFIX = "openlfr-milvus-"  # of the name of the socket's folder
_PATH_FILE = "socket.txt"  # contains the path of the socket's folder


class LiteServer:
    """A server for one folder; clients connect to `address`.

    Raises:
        Misconfigured: The folder is damaged.
        Unavailable: Another process uses the folder, or the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        from milvus_lite.adapter.grpc.servicer import MilvusServicer
        from pymilvus.grpc_gen import milvus_pb2_grpc

        self._folder = folder
        self._database = _open_lite(folder)
        _delete_indexes(folder)
        self._workers = futures.ThreadPoolExecutor(2, thread_name_prefix="milvus-lite")
        self._server = grpc.server(
            self._workers,
            options=[
                ("grpc.max_receive_message_length", _MESSAGE_BYTES),
                ("grpc.max_send_message_length", _MESSAGE_BYTES),
                # pymilvus pings every 10 s, which gRPC servers refuse by default.
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.max_ping_strikes", 0),
            ],
        )
        self.address = f"unix:{_choose_socket_path(folder)}"
        milvus_pb2_grpc.add_MilvusServiceServicer_to_server(
            MilvusServicer(self._database), self._server
        )
        self._server.add_insecure_port(self.address)
        self._server.start()

    def rewrite(self, collection: str) -> None:
        """Remove deleted rows from the collection's files.

        Raises:
            Unavailable: The disk fails; a later call can succeed.
        """
        if not self._database.has_collection(collection):
            return
        try:
            rewrite(self._database.get_collection(collection))
        except OSError as error:
            raise Unavailable(
                f"Erased templates in {self._folder} cannot be removed from the disk "
                f"({error.strerror or error}): check the disk and its free space, and try again."
            ) from error

    def close(self) -> None:
        """Stop the server and unlock the folder."""
        self._server.stop(grace=2).wait()
        self._workers.shutdown()
        self._database.close()
        _remove_socket(self._folder)


def _choose_socket_path(folder: Path) -> Path:
    """Choose the path of a new socket, and remove the socket of a killed process.

    A socket's path is limited to about 100 bytes, so the socket cannot be in a deep data folder. It
    is in the system's temporary folder, and a file in the data folder contains its path.
    """
    _remove_socket(folder)
    socket_folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with suppress(OSError):  # a full disk is reported later; then the folder in /tmp remains
        (folder / _PATH_FILE).write_text(str(socket_folder), encoding="utf-8")
    return socket_folder / "socket"


def _remove_socket(folder: Path) -> None:
    with suppress(FileNotFoundError):
        socket_folder = Path((folder / _PATH_FILE).read_text(encoding="utf-8"))
        if socket_folder.name.startswith(_PREFIX):
            shutil.rmtree(socket_folder, ignore_errors=True)
        (folder / _PATH_FILE).unlink()


def _delete_indexes(folder: Path) -> None:
    """Delete index files, so that Milvus Lite builds them again from the vectors.

    Milvus Lite (3.2.2) writes indexes in place. A process killed during that leaves a file that
    prevents the collection from loading. With exact search the vectors themselves are the index.
    """
    for index in folder.rglob("*.idx"):
        index.unlink(missing_ok=True)


def _open_lite(folder: Path) -> Any:
    from milvus_lite.db import MilvusLite
    from milvus_lite.exceptions import DataDirLockedError, MilvusLiteError

    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return MilvusLite(str(folder))
        except DataDirLockedError:
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"Another process uses the watchlist's vectors in {folder}: stop the other "
                    "`openlfr run` (or wait for an import to end) and try again."
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
                "folder from a backup, or move the vectors' folder away and import the watchlist "
                "again."
            ) from error
