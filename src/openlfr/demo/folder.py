"""Makes the demonstration's folder anew, and never empties a folder of anybody else."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from openlfr.adapters.run_lock import is_run_active
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

MARKER = ".openlfr-demo"
_MARKER_TEXT = "Made by `openlfr demo`, which wipes this folder when it runs again.\n"


def fresh_folder(folder: Path) -> None:
    """Make the folder, or empty it if a demonstration made it.

    Raises:
        Misconfigured: The folder has other content, is no folder, or a run is at work in it.
        Unavailable: The folder cannot be written.
    """
    try:
        if folder.is_dir() and not (folder / MARKER).is_file() and any(folder.iterdir()):
            raise Misconfigured(
                f"{folder} holds something that `openlfr demo` did not make, and is left alone;"
                " give another folder with --out"
            )
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise Misconfigured(f"{folder} is not a folder of its own; give another with --out")
        if folder.is_dir():
            if is_run_active(folder / "data"):
                raise Misconfigured(f"a run is at work in {folder}; end it first")
            for entry in folder.iterdir():
                if entry.name == MARKER:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
    except OSError as error:
        raise Unavailable(
            f"{error.filename or folder} cannot be written: {error.strerror or error}"
        ) from error
