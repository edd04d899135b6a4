"""`openlfr init`: write the files of a new installation; existing files are kept."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from openlfr.terminal import say

_FILE_MODES = {"CONFIG.yaml": 0o600, "manifest.csv": 0o600, "README.txt": 0o644}
"""Mode of each file: a configuration may contain passwords, a manifest names of listed people."""


@click.command(name="init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(folder: Path) -> None:
    """Write a commented CONFIG.yaml, an example manifest and a data folder.

    FOLDER is the current folder by default. Existing files are kept unchanged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    starter = files("openlfr.cli") / "starter"
    for name, mode in _FILE_MODES.items():
        path = folder / name
        written = _write_new(path, (starter / name).read_text(encoding="utf-8"), mode)
        say(f"wrote {path}" if written else f"kept {path}, which exists already")
    data = folder / "data"
    existed = data.exists()
    data.mkdir(mode=0o700, exist_ok=True)
    _write_new(data / ".gitignore", "*\n", 0o600)  # no face must get into a repository
    say(f"kept {data}, which exists already" if existed else f"made {data}")
    say(f"\nNext: fill in `deployment` in {folder / 'CONFIG.yaml'}, then `openlfr doctor`.")


def _write_new(path: Path, text: str, mode: int) -> bool:
    """Write a new file; False if the file exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True
