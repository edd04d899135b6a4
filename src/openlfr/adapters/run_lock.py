"""The lock of a data folder, which allows one run at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = "run.lock"
_TIMEOUT_S = 1.0  # `is_run_active` in another process acquires the lock for a moment


@contextmanager
def lock_for_run(data_dir: Path) -> Iterator[None]:
    """Lock the folder for this run.

    Raises:
        Misconfigured: Another run has locked the folder.
        Unavailable: The lock's file cannot be created or opened.
    """
    lock = FileLock(data_dir / _NAME)
    try:
        lock.acquire(timeout=_TIMEOUT_S)
    except Timeout:
        raise Misconfigured(
            f"Another run is active in {data_dir}. End that run first, or set another data_dir for "
            "this run."
        ) from None
    except OSError as error:
        raise _cannot_lock(data_dir, error) from error
    try:
        yield
    finally:
        lock.release()


def is_run_active(data_dir: Path) -> bool:
    """Return whether a run is active in this folder; the folder need not exist.

    Raises:
        Unavailable: The lock's file cannot be opened.
    """
    file = data_dir / _NAME
    if not file.exists():
        return False
    try:
        with FileLock(file, timeout=0):
            return False
    except Timeout:
        return True
    except OSError as error:
        raise _cannot_lock(data_dir, error) from error


def _cannot_lock(data_dir: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"The lock {data_dir / _NAME} cannot be opened: {error.strerror or error}. Check that this "
        f"account may write to {data_dir}, and that its disk is neither full nor read-only."
    )
