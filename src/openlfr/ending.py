"""SIGTERM from a process's first instant on, before there is anything to end in order.

As the first process of a container (number 1) the kernel keeps from us every signal that we do not
handle: a service that waits for Kafka would hear of nothing until it is killed. And Python runs a
handler between two steps of the main thread alone, which may be inside a library for as long as
the system looks for a name or a server. So the number of the signal is written to a socket at
once, and a thread that reads it ends the process. Nothing is in work until somebody takes over
with a handler of its own (`taken_over`; asyncio's takes the socket's place), so nothing is lost.

It imports next to nothing: what is imported before the handler stands is time without one.
"""

from __future__ import annotations

import os
import signal
import socket
import threading

KILLED = 128 + signal.SIGTERM  # the exit code of a shell for a process that a signal ended
_SHUTDOWN_S = 2.0

_code = KILLED
_watching = True
_written: tuple[socket.socket, socket.socket] | None = None  # stay open


def end_at_sigterm(code: int = KILLED) -> None:
    """End with this code at SIGTERM from now on; once more changes the code."""
    global _code, _written
    _code = code
    if _written is not None or threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, _end)
    reads, writes = socket.socketpair()
    writes.setblocking(False)
    _written = reads, writes
    signal.set_wakeup_fd(writes.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reads,), name="sigterm", daemon=True).start()


def taken_over() -> None:
    """From now on handlers alone decide what becomes of a signal.

    A handler that has put back the former one must not be overtaken by the thread, which looks a
    moment later.
    """
    global _watching
    _watching = False


def end_within(code: int, seconds: float = _SHUTDOWN_S) -> None:
    """End with this code, whatever is still being closed then."""
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()


def _end(*_: object) -> None:
    os._exit(_code)


def _watch(reads: socket.socket) -> None:
    while numbers := reads.recv(64):
        if _watching and signal.SIGTERM in numbers and signal.getsignal(signal.SIGTERM) is _end:
            os._exit(_code)
