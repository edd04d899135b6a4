"""Whatever a test run starts ends with it: hooks for pytest, which start `dev_servers.guard`.

Each pytest process, also one of xdist's, has a folder of its own that is its TMPDIR and its mark in
the environment of all that it starts. The folder for pytest's `tmp_path` stays where pytest has it,
which keeps those of the last three runs; that of a run that was killed is erased.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import IO

import pytest
from dev_servers import guard
from dev_servers.guarded import start_guard

_GUARD = pytest.StashKey[IO[str]]()
_KEPT = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Move temporary files into a folder that is this process's alone."""
    if sys.platform != "linux":
        return
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    if worker:
        folder = Path(os.environ[guard.VARIABLE], worker)
        folder.mkdir(exist_ok=True)
    else:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        folder = Path(tempfile.mkdtemp(prefix="openlfr-tests-"))
    os.environ[guard.VARIABLE] = os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the guard: before xdist starts its processes, and before any test."""
    if guard.VARIABLE not in os.environ:
        return
    mark = os.environ[guard.VARIABLE]
    kept = str(session.config._tmp_path_factory.getbasetemp())  # as xdist does
    session.config.stash[_GUARD] = start_guard(mark, kept)
    session.config.stash[_KEPT] = kept


def pytest_unconfigure(config: pytest.Config) -> None:
    """End in peace: what pytest keeps is kept."""
    if _GUARD in config.stash:
        pipe = config.stash[_GUARD]
        pipe.write(f"{guard.KEPT} {config.stash[_KEPT]}\n")
        pipe.close()


def pytest_report_header() -> str | None:
    """Say where nobody guards."""
    if sys.platform == "linux":
        return None
    return f"servers of a run that is killed are left behind on {sys.platform}"
