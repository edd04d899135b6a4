"""`openlfr init`: write the files of a new installation; existing files stay unchanged."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from openlfr.terminal import say

_FILE_MODES = {"CONFIG.yaml": 0o600, "manifest.csv": 0o600, "README.txt": 0o644}
"""Mode of each file. A configuration may contain passwords; a manifest lists people."""


@click.command(name="init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(folder: Path) -> None:
    """Write a commented CONFIG.yaml, an example manifest and a data folder.

    FOLDER is the current folder by default. Existing files stay unchanged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    starter = files("openlfr.cli") / "starter"
    for name, mode in _FILE_MODES.items():
        path = folder / name
        written = _write_new(path, (starter / name).read_text(encoding="utf-8"), mode)
        say(f"wrote {path}" if written else f"{path} exists already, and is unchanged")
    data = folder / "data"
    existed = data.exists()
    data.mkdir(mode=0o700, exist_ok=True)
    _write_new(data / ".gitignore", "*\n", 0o600)  # no face may be committed to a repository
    say(f"{data} exists already, and is unchanged" if existed else f"created {data}")
    say(f"\nNext: fill in `deployment` in {folder / 'CONFIG.yaml'}, then run `openlfr doctor`.")


def _write_new(path: Path, text: str, mode: int) -> bool:
    """Write a new file; return False if the file exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True
