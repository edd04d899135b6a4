"""The run of a consumer group's worker, and its end.

A worker ends on SIGTERM, or after it has left its group on request. It ends at once with exit code
3 if a required service is unavailable, and with 1 on our own bug. Then its supervisor restarts it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn

import aiokafka.errors
import faust
import kafka.errors
import structlog

from openlfr.adapters.kafka.membership import LEAVE, STOPPED, WORKING, WorkerFile
from openlfr.domain.errors import OpenLFRError, Unavailable
from openlfr.sigterm import exit_within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from openlfr.adapters.faust.progress import Progress

FINISH_S = 20.0
"""Maximum time for a leaving worker to finish its batch."""
END_S = 30.0
"""Maximum time to end after SIGTERM, less than a pod's `terminationSeconds`.

Messages that are not acknowledged by then are delivered again.
"""
STAY_S = 60.0
"""Maximum time for which a worker that has stopped reading waits for SIGTERM."""
_FAILED = 1  # the exit code of a bug, also from Faust's worker
UNAVAILABLE = 3  # the exit code of `openlfr` if a required service is unavailable

_OUTAGES = (OpenLFRError, OSError, aiokafka.errors.KafkaError, kafka.errors.KafkaError)
"""Exceptions that mean that a service is unavailable."""

log = structlog.get_logger()


def exit_on_error(error: BaseException) -> NoReturn:
    """End the process at once, without acknowledging unfinished messages.

    The exit code is 3 if a required service is unavailable, and 1 for our own bug.
    """
    if isinstance(error, OpenLFRError):
        log.error("ended", why=str(error))
    else:
        log.error("ended", why=f"{type(error).__name__}: {error}", exc_info=error)
    sys.stderr.flush()
    os._exit(UNAVAILABLE if isinstance(error, _OUTAGES) else _FAILED)


def run_worker(app: faust.App, progress: Progress, file: WorkerFile | None = None) -> NoReturn:
    """Run the worker until SIGTERM or SIGINT, then exit the process.

    Args:
        app: The app with its agents.
        progress: The worker's progress.
        file: PID file of a static member, which `--leave` reads. On the signal `membership.LEAVE`
            the worker stops reading, finishes its batch, and waits for SIGTERM.
    """
    worker = _QuietWorker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    worker.progress = progress
    if file is not None:
        app.task(_leave_on_signal(app, progress, file))
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if end.code == _FAILED and end.__context__ is not None:
            exit_on_error(Unavailable(f"The worker does not reach Kafka: {end.__context__!r}."))
        if file is not None and progress.is_leaving:
            _await_sigterm(file)
        # Closing the connections may hang while a server is down.
        exit_within(end.code if isinstance(end.code, int) else 0)
        raise
    finally:
        if file is not None:
            file.remove()
    raise AssertionError("Faust's worker ends with SystemExit")


class _QuietWorker(faust.Worker):  # type: ignore[misc]
    """A Faust worker that prints nothing and leaves the log handlers of the process unchanged.

    Attributes:
        progress: The worker's progress. Before its first partition the worker ends at once.
    """

    progress: Progress

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        """Handle SIGTERM and SIGINT: end at once before the first assignment, else in `END_S`.

        Faust's own shutdown would wait for Kafka without a limit.
        """
        if not self.progress.was_assigned:
            log.info("ended", why="a signal came before any partition was assigned")
            sys.stderr.flush()
            os._exit(0)
        if not self.progress.is_leaving:
            exit_within(0, END_S)
        super()._schedule_shutdown(signal)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._handlers = list(logging.root.handlers)
        super().__init__(*args, **kwargs)
        self.spinner = None  # Faust's writes escape codes and sets all log levels to DEBUG

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        logger.handlers[:] = self._handlers
        logger.setLevel(level)


def _leave_on_signal(
    app: faust.App, progress: Progress, file: WorkerFile
) -> Callable[[], Awaitable[None]]:
    """Return a task that writes the worker's file and handles the signal to leave the group."""

    async def drain() -> None:
        if progress.is_leaving:
            return
        progress.leave()
        log.info("leaving", group=app.conf.id)
        app.consumer.stop_flow()
        app.flow_control.suspend()
        deadline = time.monotonic() + FINISH_S
        while progress.has_running_batch and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await app.consumer.commit()
        os.kill(os.getpid(), signal.SIGTERM)  # starts Faust's own shutdown

    async def handle_signal() -> None:
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(LEAVE, lambda: tasks.add(loop.create_task(drain())))
        file.write(WORKING)

    return handle_signal


def _await_sigterm(file: WorkerFile) -> None:
    """Wait for SIGTERM, at most `STAY_S`, while `--leave` removes the member from its group."""
    signalled = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: signalled.set())
    file.write(STOPPED)
    signalled.wait(STAY_S)
