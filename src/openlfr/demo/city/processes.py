"""The processes of the demonstration: started, watched, started again when they die, ended.

What an orchestrator does in production, as small as it can be: a process that ends without having
been asked to is started again. Each is a group and a session of its own, so that Ctrl-C reaches
only this program, which then ends them in order; each is ended by its own pid.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

RESTARTS_MOST = 5
"""So often a process is started again unasked: more does not mend what is wrong."""
PAUSE_S = 0.5
"""Between its end and its next start."""
END_S = 20.0
"""How long a process may take to end in order."""
_LAST_LINES = 3
_MISUSED = 2  # exit code: what is wrong stays wrong


@dataclass(slots=True, eq=False)
class Kept:
    """A process that is kept alive.

    Attributes:
        started: How often.
        ended_at: `time.monotonic()` of its end; None while it lives.
        killed: How often this program killed it on purpose.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    popen: subprocess.Popen[bytes]
    started: int = 1
    ended_at: float | None = None
    killed: int = 0
    wanted: bool = field(default=True)

    @property
    def pid(self) -> int:
        """Of its latest start."""
        return self.popen.pid

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        return self.popen.poll() is None

    def last_words(self) -> str:
        """The last lines of its log, for a sentence."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            return " | ".join(line.strip() for line in lines[-_LAST_LINES:])
        return ""


class Supervisor:
    """Keeps processes alive until it is closed. One thread uses it.

    Attributes:
        kept: By name, in the order of their start.
        on_event: Is given a sentence for each start after the first and each end unasked.
    """

    def __init__(self, logs: Path, on_event: Callable[[str], None] = lambda _: None) -> None:
        """Start nothing yet; NAME.log in `logs` gets what a process says, of all its starts."""
        self._logs = logs
        self.on_event = on_event
        self.kept: dict[str, Kept] = {}

    def openlfr(self, name: str, *words: object, **environment: str) -> Kept:
        """Start `openlfr WORDS` and keep it alive."""
        return self.start(name, sys.executable, "-m", "openlfr", *words, **environment)

    def start(self, name: str, *command: object, **environment: str) -> Kept:
        """Start a process and keep it alive."""
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name}.log"
        words = tuple(map(str, command))
        kept = Kept(name, words, environment, log, _popen(words, environment, log))
        self.kept[name] = kept
        return kept

    def look(self) -> None:
        """Start again what has died.

        Raises:
            Unavailable: One dies again and again, or says that it cannot work so; with its words.
        """
        now = time.monotonic()
        for each in self.kept.values():
            if not each.wanted or each.lives:
                continue
            code = each.popen.returncode
            if each.ended_at is None:
                each.ended_at = now
                how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                self.on_event(f"{each.name} ended ({how})")
            unasked = each.started - each.killed
            if code == _MISUSED or unasked > RESTARTS_MOST:
                raise Unavailable(
                    f"{each.name} ended with exit code {code}, {each.started} times started:"
                    f" {each.last_words()} (its log: {each.log})"
                )
            if now - each.ended_at >= PAUSE_S:
                each.popen = _popen(each.command, each.environment, each.log)
                each.started += 1
                each.ended_at = None
                self.on_event(f"{each.name} was started again, process {each.pid}")

    def kill(self, name: str) -> None:
        """SIGKILL, as the kernel does it: no last word."""
        each = self.kept[name]
        each.killed += 1
        self.on_event(f"{name}, process {each.pid}, is killed (SIGKILL)")
        each.popen.kill()
        each.popen.wait()

    def stop(self, *names: str) -> dict[str, int]:
        """End processes in order, together; SIGKILL for those that do not end in time.

        Returns:
            Their exit codes.
        """
        ending = [self.kept[name] for name in names if name in self.kept]
        for each in ending:
            each.wanted = False
            if each.lives:
                with suppress(ProcessLookupError):
                    each.popen.terminate()
        deadline = time.monotonic() + END_S
        for each in ending:
            try:
                each.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.popen.kill()
                each.popen.wait()
        return {each.name: each.popen.returncode for each in ending}

    def close(self) -> None:
        """End whatever still runs; safe to call twice."""
        self.stop(*[name for name, each in self.kept.items() if each.lives])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _popen(
    command: tuple[str, ...], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as said:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env={**os.environ, **environment}, start_new_session=True,
        )  # fmt: skip
