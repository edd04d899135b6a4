"""Starts the guard of this process, so that its child processes end with it, even after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO, cast

from dev_servers import guard


def start_guard(mark: str, *more: str) -> IO[str]:
    """Guard this process from now on.

    Args:
        mark: A folder of this process alone. All child processes must have it in their
            environment as `guard.VARIABLE`. It is erased at the end.
        more: Further folders whose processes are ended.

    Returns:
        The guard's standard input; see `guard` for its format.
    """
    plain = {key: value for key, value in os.environ.items() if key != guard.VARIABLE}
    started = subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), mark, *more],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        env=plain, start_new_session=True, text=True,
    )  # fmt: skip
    started.returncode = 0  # the guard outlives this process on purpose
    return cast("IO[str]", started.stdin)  # stdin is a pipe
