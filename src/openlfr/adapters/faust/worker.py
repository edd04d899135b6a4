"""Running a worker of a consumer group, and ending it.

A worker ends on SIGTERM, or after it was asked to leave its group. It ends at once with exit code 3
where a needed service is unavailable, and with 1 on a bug of our own; its supervisor restarts it.
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
"""Longest time for a leaving worker to finish its batch."""
END_S = 30.0
"""Longest time to end after SIGTERM: less than a pod has (`terminationSeconds`). Messages not
acknowledged by then are delivered again."""
STAY_S = 60.0
"""Longest time that a worker which has stopped reading waits for SIGTERM."""
_FAILED = 1  # the exit code of a bug; Faust's too, where its worker raised
UNAVAILABLE = 3  # the exit code of `openlfr` where a needed service is unavailable

_OUTAGES = (OpenLFRError, OSError, aiokafka.errors.KafkaError, kafka.errors.KafkaError)
"""Exceptions that mean that a service is unavailable: ours, and those of Kafka's clients."""

log = structlog.get_logger()


def give_up(error: BaseException) -> NoReturn:
    """End the process at once, without acknowledging unfinished messages."""
    if isinstance(error, OpenLFRError):
        log.error("ended", why=str(error))
    else:
        log.error("ended", why=f"{type(error).__name__}: {error}", exc_info=error)
    sys.stderr.flush()
    os._exit(UNAVAILABLE if isinstance(error, _OUTAGES) else _FAILED)


def work(app: faust.App, progress: Progress, file: WorkerFile | None = None) -> NoReturn:
    """Run the worker until SIGTERM or SIGINT, then exit the process.

    Args:
        app: The app with its agents.
        progress: The worker's progress.
        file: PID file of a static member, so that `--leave` finds this worker. On the signal
            `membership.LEAVE` it stops reading, finishes its batch, and waits for SIGTERM.
    """
    worker = _Quiet(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    worker.progress = progress
    if file is not None:
        app.task(_leave_on_signal(app, progress, file))
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if end.code == _FAILED and end.__context__ is not None:
            give_up(Unavailable(f"The worker does not reach Kafka: {end.__context__!r}."))
        if file is not None and progress.leaving:
            _await_sigterm(file)
        # Closing the rest may hang where a server is away.
        exit_within(end.code if isinstance(end.code, int) else 0)
        raise
    finally:
        if file is not None:
            file.remove()
    raise AssertionError("Faust's worker ends by leaving the process")


class _Quiet(faust.Worker):  # type: ignore[misc]
    """A Faust worker that prints nothing and keeps the log handlers of the process.

    Attributes:
        progress: The worker's progress; before its first partition the worker ends at once.
    """

    progress: Progress

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        """Handle SIGTERM and SIGINT; Faust's own shutdown would wait for Kafka."""
        if not self.progress.begun:
            log.info("ended", why="told to before it had any partition")
            sys.stderr.flush()
            os._exit(0)
        if not self.progress.leaving:
            exit_within(0, END_S)
        super()._schedule_shutdown(signal)

    def __init__(self, *given: Any, **named: Any) -> None:
        self._handlers = list(logging.root.handlers)
        super().__init__(*given, **named)
        self.spinner = None  # it writes escape codes, and sets every library's log level to DEBUG

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        logger.handlers[:] = self._handlers
        logger.setLevel(level)


def _leave_on_signal(
    app: faust.App, progress: Progress, file: WorkerFile
) -> Callable[[], Awaitable[None]]:
    """A task that writes the worker's file and handles the signal to leave the group."""

    async def drain() -> None:
        if progress.leaving:
            return
        progress.leave()
        log.info("leaving", group=app.conf.id)
        app.consumer.stop_flow()
        app.flow_control.suspend()
        until = time.monotonic() + FINISH_S
        while progress.at_work and time.monotonic() < until:
            await asyncio.sleep(0.05)
        await app.consumer.commit()
        os.kill(os.getpid(), signal.SIGTERM)  # from here on Faust's own shutdown

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(LEAVE, lambda: tasks.add(loop.create_task(drain())))
        file.write(WORKING)

    return listen


def _await_sigterm(file: WorkerFile) -> None:
    """Wait for SIGTERM, at most `STAY_S`, while `--leave` removes the member from its group."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    file.write(STOPPED)
    ended.wait(STAY_S)
