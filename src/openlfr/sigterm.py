"""Exits at SIGTERM during start-up, before a service has its own signal handlers.

The kernel delivers signals without a handler to every process except the first of a container
(number 1), so a service that waits for Kafka would ignore SIGTERM until it is killed. In addition,
Python runs a handler only between two steps of the main thread, and a library call may block that
thread while the system resolves a name or waits for a server. Therefore the signal's number is
written to a socket immediately, and a thread that reads the socket exits the process. Before a
service begins its work, it installs its own handlers and ends this exit: it calls
`disable_early_exit`, or asyncio's handlers replace the socket. So no work is lost.

This module imports little, since there is no handler while its imports run.
"""

from __future__ import annotations

import os
import signal
import socket
import threading

KILLED = 128 + signal.SIGTERM  # a shell's exit code for a process ended by a signal
_SHUTDOWN_S = 2.0

_code = KILLED
_watching = True
_sockets: tuple[socket.socket, socket.socket] | None = None  # referenced, so that they stay open


def exit_at_sigterm(code: int = KILLED) -> None:
    """Exit with this code at SIGTERM from now on; a second call changes the code."""
    global _code, _sockets
    _code = code
    if _sockets is not None or threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, _end)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    _sockets = reader, writer
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), name="sigterm", daemon=True).start()


def disable_early_exit() -> None:
    """Disable the thread; from now on only the installed handlers act on signals.

    A service's handler may restore the handler of this module at the first signal. Without this
    call, the thread could then exit the process on that first signal.
    """
    global _watching
    _watching = False


def exit_within(code: int, seconds: float = _SHUTDOWN_S) -> None:
    """Exit with this code after this many seconds, even if the process is still closing."""
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()


def _end(*_: object) -> None:
    os._exit(_code)


def _watch(reader: socket.socket) -> None:
    while numbers := reader.recv(64):
        if _watching and signal.SIGTERM in numbers and signal.getsignal(signal.SIGTERM) is _end:
            os._exit(_code)
