"""How a worker of a consumer group is run, and how it ends.

It ends when it is told to, when it was asked to leave its group, and at once, with exit code 3,
where what it needs is not there, or 1 by a fault of ours: whoever runs it starts it anew.
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
"""How long a worker that leaves may take to finish a batch."""
END_S = 30.0
"""How long it may take to end after SIGTERM: less than a pod is given (`terminationSeconds`). What
was not acknowledged by then is delivered again."""
STAY_S = 60.0
"""How long one that has stopped waits until it is told to end."""
_FAILED = 1  # the exit code of a fault; Faust's too, where its worker raised
UNAVAILABLE = 3  # the exit code of `openlfr` where a needed service is unavailable

_OUTAGES = (OpenLFRError, OSError, aiokafka.errors.KafkaError, kafka.errors.KafkaError)
"""What is raised where a service is away, by us and by the clients that Faust and we use."""

log = structlog.get_logger()


def give_up(error: BaseException) -> NoReturn:
    """End the process without acknowledging anything that is in work."""
    if isinstance(error, OpenLFRError):
        log.error("ended", why=str(error))
    else:
        log.error("ended", why=f"{type(error).__name__}: {error}", exc_info=error)
    sys.stderr.flush()
    os._exit(UNAVAILABLE if isinstance(error, _OUTAGES) else _FAILED)


def work(app: faust.App, progress: Progress, file: WorkerFile | None = None) -> NoReturn:
    """Run the worker until it is told to end (SIGTERM, SIGINT); exits the process.

    Args:
        app: With its agents.
        progress: Of the worker.
        file: Where a static member says which process it is. At the signal `membership.LEAVE` it
            stops reading, finishes what it holds, and waits until it is told to end.
    """
    worker = _Quiet(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    worker.progress = progress
    if file is not None:
        app.task(_obey(app, progress, file))
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if end.code == _FAILED and end.__context__ is not None:
            give_up(Unavailable(f"The worker does not reach Kafka: {end.__context__!r}."))
        if file is not None and progress.leaving:
            _await_end(file)
        # What is closed from here on may wait for a server that is away.
        exit_within(end.code if isinstance(end.code, int) else 0)
        raise
    finally:
        if file is not None:
            file.remove()
    raise AssertionError("Faust's worker ends by leaving the process")


class _Quiet(faust.Worker):  # type: ignore[misc]
    """Writes nothing but log lines, by the handlers that there were before it came.

    Attributes:
        progress: Says whether there is anything to end in order.
    """

    progress: Progress

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        """At SIGTERM or SIGINT; while it waits for Kafka its own way out would wait as well."""
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
        self.spinner = None  # writes escape codes, and has every library log at DEBUG

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        logger.handlers[:] = self._handlers
        logger.setLevel(level)


def _obey(app: faust.App, progress: Progress, file: WorkerFile) -> Callable[[], Awaitable[None]]:
    """A task that says where the worker is, and has it leave when it is asked to."""

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
        os.kill(os.getpid(), signal.SIGTERM)  # Faust's own way to end, from here on

    async def obey() -> None:
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(LEAVE, lambda: tasks.add(loop.create_task(drain())))
        file.note(WORKING)

    return obey


def _await_end(file: WorkerFile) -> None:
    """Stay, so that whoever asked can remove the member, until told to end, or for a while."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    file.note(STOPPED)
    told.wait(STAY_S)
