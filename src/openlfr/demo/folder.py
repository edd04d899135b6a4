"""Creates or empties the demonstration's folder; never empties any other folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from openlfr.adapters.run_lock import is_run_active
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

MARKER = ".openlfr-demo"
_MARKER_TEXT = "Created by `openlfr demo`, which empties this folder when it runs again.\n"


def prepare_folder(folder: Path) -> None:
    """Create the folder, or empty it if a demonstration created it.

    Raises:
        Misconfigured: The folder has other content, is no folder, or a run is active in it.
        Unavailable: The folder cannot be written.
    """
    try:
        if folder.is_dir() and not (folder / MARKER).is_file() and any(folder.iterdir()):
            raise Misconfigured(
                f"{folder} contains files that `openlfr demo` did not create, so it was not"
                " changed; choose another folder with --out"
            )
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise Misconfigured(f"{folder} is a link or a file; choose a folder with --out")
        if folder.is_dir():
            if is_run_active(folder / "data"):
                raise Misconfigured(f"a run is active in {folder}; end that run first")
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
