"""Tests await what happens, never a while: they do not know how busy their machine is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

Found = TypeVar("Found")

PATIENCE_S = 240.0
"""No bar for anything: a machine with ten busy processes a core may take that long."""
_LOOK_S = 0.02


def await_that(
    what: str,
    condition: Callable[[], Found],
    *,
    seen: Callable[[], object] = lambda: "",
    alive: Sequence[subprocess.Popen[str] | subprocess.Popen[bytes]] = (),
    patience_s: float = PATIENCE_S,
) -> Found:
    """Wait until a condition holds; what it gave.

    Args:
        what: Is awaited; for the message of a failure.
        condition: Asked again and again, last when the patience is over.
        seen: What was seen instead, asked for when it failed.
        alive: Processes without which it will never hold: one that ended fails the test at once.
        patience_s: How long to wait.
    """
    deadline = time.monotonic() + patience_s
    while True:
        ended = [process for process in alive if process.poll() is not None]
        late = time.monotonic() > deadline
        if found := condition():
            return found
        for process in ended:
            raise AssertionError(
                f"no {what}: {process.args} ended ({process.returncode}): {seen()}"
            )
        if late:
            raise AssertionError(f"no {what} within {patience_s:g} s: {seen()}")
        time.sleep(_LOOK_S)
