"""Starts the processes of the demonstration, restarts dead processes, and ends all.

Like an orchestrator in production, the supervisor restarts a process that ends unexpectedly. Each
process has its own group and session, so that Ctrl-C reaches only this program, which then ends the
processes in order, each by its pid.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MAX_RESTARTS = 5
"""Maximum number of restarts of a process that ends by itself; more would not help."""
RESTART_PAUSE_S = 0.5
"""Time between the end of a process and its next start."""
END_TIMEOUT_S = 20.0
"""Time to wait for a process to end before it is killed."""
_LAST_LINES = 3
_MISCONFIGURED = 2  # exit code of a wrong configuration, for which a restart does not help


@dataclass(slots=True, eq=False)
class SupervisedProcess:
    """A process that the supervisor restarts when it ends.

    Attributes:
        starts: Number of starts.
        ended_at: `time.monotonic()` of the process's end; None while it runs.
        killed: Number of times that this program killed the process on purpose.
        should_run: Whether the supervisor restarts the process.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    popen: subprocess.Popen[bytes]
    starts: int = 1
    ended_at: float | None = None
    killed: int = 0
    should_run: bool = True

    @property
    def pid(self) -> int:
        """Process id of the latest start."""
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        """Whether the process runs."""
        return self.popen.poll() is None

    def last_log_lines(self) -> str:
        """Return the last lines of the log as one line, for a message."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            return " | ".join(line.strip() for line in lines[-_LAST_LINES:])
        return ""


class Supervisor:
    """Starts processes, and restarts dead processes until `close`. For use in one thread.

    Attributes:
        processes: The processes by name, in the order of their start.
        on_event: Called with a sentence for each restart and each unexpected end.
    """

    def __init__(self, logs: Path, on_event: Callable[[str], None] = lambda _: None) -> None:
        """Prepare; a process's output of all its starts is appended to NAME.log in `logs`."""
        self._logs = logs
        self.on_event = on_event
        self.processes: dict[str, SupervisedProcess] = {}

    def start_openlfr(self, name: str, *words: object, **environment: str) -> SupervisedProcess:
        """Start and supervise the command `openlfr WORDS`."""
        return self.start(name, sys.executable, "-m", "openlfr", *words, **environment)

    def start(self, name: str, *command: object, **environment: str) -> SupervisedProcess:
        """Start and supervise a process."""
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name}.log"
        words = tuple(map(str, command))
        process = SupervisedProcess(name, words, environment, log, _popen(words, environment, log))
        self.processes[name] = process
        return process

    def restart_dead(self) -> None:
        """Restart processes that ended at least `RESTART_PAUSE_S` ago.

        Raises:
            Unavailable: A process ended too often, or because of a wrong configuration. The
                message contains the last lines of the process's log.
        """
        now = time.monotonic()
        for each in self.processes.values():
            if not each.should_run or each.is_running:
                continue
            code = each.popen.returncode
            if each.ended_at is None:
                each.ended_at = now
                how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                self.on_event(f"{each.name} ended ({how})")
            own_ends = each.starts - each.killed
            if code == _MISCONFIGURED or own_ends > MAX_RESTARTS:
                raise Unavailable(
                    f"{each.name} ended with exit code {code} after {each.starts} starts:"
                    f" {each.last_log_lines()} (log: {each.log})"
                )
            if now - each.ended_at >= RESTART_PAUSE_S:
                each.popen = _popen(each.command, each.environment, each.log)
                each.starts += 1
                each.ended_at = None
                self.on_event(f"{each.name} was restarted, process {each.pid}")

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL, as the kernel's out-of-memory killer does."""
        each = self.processes[name]
        each.killed += 1
        self.on_event(f"{name}, process {each.pid}, is killed (SIGKILL)")
        each.popen.kill()
        each.popen.wait()

    def stop(self, *names: str) -> dict[str, int]:
        """End processes for good with SIGTERM; after a timeout, kill the remaining processes.

        Returns:
            Exit codes by name.
        """
        ending = [self.processes[name] for name in names if name in self.processes]
        for each in ending:
            each.should_run = False
            if each.is_running:
                with suppress(ProcessLookupError):
                    each.popen.terminate()
        deadline = time.monotonic() + END_TIMEOUT_S
        for each in ending:
            try:
                each.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.popen.kill()
                each.popen.wait()
        return {each.name: each.popen.returncode for each in ending}

    def close(self) -> None:
        """End all running processes; safe to call twice."""
        self.stop(*[name for name, each in self.processes.items() if each.is_running])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _popen(
    command: tuple[str, ...], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, **environment}, start_new_session=True,
        )  # fmt: skip
