"""Waiting for a condition instead of a fixed time, since the machine may be busy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

Found = TypeVar("Found")

PATIENCE_S = 240.0
"""Timeout in seconds, not a requirement: a machine with ten busy processes per core is slow."""
_LOOK_S = 0.02


def await_that(
    what: str,
    condition: Callable[[], Found],
    *,
    seen: Callable[[], object] = lambda: "",
    alive: Sequence[subprocess.Popen[str] | subprocess.Popen[bytes]] = (),
    patience_s: float = PATIENCE_S,
) -> Found:
    """Wait until a condition is true, and return its value.

    Args:
        what: Name of the condition, for the message of a failure.
        condition: Called repeatedly, the last time after the timeout.
        seen: Returns the observations for the message of a failure.
        alive: Processes that the condition needs: the end of one fails the test at once.
        patience_s: Timeout in seconds.
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
