"""Exit at SIGTERM during start-up, before a service has its own signal handlers.

The kernel delivers no signal without a handler to the first process of a container (number 1), so a
service that waits for Kafka would ignore SIGTERM until it is killed. In addition, Python runs a
handler only between two steps of the main thread, and a library call may block that thread while
the system resolves a name or waits for a server. Therefore the signal's number is written to a
socket immediately, and a thread that reads the socket exits the process. No work has begun before
a service installs its own handlers (`disable_early_exit`; asyncio's replace the socket), so nothing
is lost.

This module imports little, since there is no handler while its imports run.
"""

from __future__ import annotations

import os
import signal
import socket
import threading

KILLED = 128 + signal.SIGTERM  # a shell's exit code for a process that a signal ended
_SHUTDOWN_S = 2.0

_code = KILLED
_watching = True
_written: tuple[socket.socket, socket.socket] | None = None  # stay open


def exit_at_sigterm(code: int = KILLED) -> None:
    """Exit with this code at SIGTERM from now on; a second call changes the code."""
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


def disable_early_exit() -> None:
    """Stop exiting from the thread; from now on the installed handlers alone act on signals.

    A handler may restore the handler of this module. Without this call, the thread could then exit
    the process on the signal that the other handler has already received.
    """
    global _watching
    _watching = False


def exit_within(code: int, seconds: float = _SHUTDOWN_S) -> None:
    """Exit with this code after so many seconds, even if something is still being closed."""
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()


def _end(*_: object) -> None:
    os._exit(_code)


def _watch(reads: socket.socket) -> None:
    while numbers := reads.recv(64):
        if _watching and signal.SIGTERM in numbers and signal.getsignal(signal.SIGTERM) is _end:
            os._exit(_code)
