"""One run at a time works in a data folder: the locked file that says whether one does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = "run.lock"
_PATIENCE_S = 1.0  # who asks `run_is_at_work` holds the lock for a moment


@contextmanager
def hold_for_run(data_dir: Path) -> Iterator[None]:
    """Be the run that works in this folder.

    Raises:
        Misconfigured: Another run does.
    """
    lock = FileLock(data_dir / _NAME)
    try:
        lock.acquire(timeout=_PATIENCE_S)
    except Timeout:
        raise Misconfigured(
            f"Another run is at work in {data_dir}: end it first, or give this one a data_dir of "
            "its own."
        ) from None
    try:
        yield
    finally:
        lock.release()


def run_is_at_work(data_dir: Path) -> bool:
    """Whether a run works in this folder, which need not exist."""
    file = data_dir / _NAME
    if not file.exists():
        return False
    try:
        with FileLock(file, timeout=0):
            return False
    except Timeout:
        return True
