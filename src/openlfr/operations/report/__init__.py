"""The report of a run: a page for people, and the same figures as canonical JSON.

Pictures are in a separate file, the evidence annex, since a report may be passed on and stored
longer than faces. `write_report` writes the files into a folder. `figures` computes the texts and
numbers of the page, `charts` the positions of bars, and `canonical` the JSON. `page.html.jinja`,
`annex.html.jinja` and `page.css` define the layout.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.domain.errors import Unavailable
from openlfr.operations.report.canonical import canonical_json, figures_of

if TYPE_CHECKING:
    from openlfr.domain.summary import RunSummary

__all__ = [
    "ANNEX",
    "DATA",
    "PAGE",
    "replace_private",
    "write_report",
]

PAGE, DATA, ANNEX = "report.html", "report.json", "annex.html"


def write_report(summary: RunSummary, folder: Path) -> Path:
    """Write `report.html`, `report.json` and `annex.html`, readable by their owner only.

    The annex shows the faces of alerts and of their references in clear, and no other face. Without
    pictures there is no annex. Page and JSON contain the same figures and no picture, and the name
    and hash of the annex. No file needs another file, a network or a script.

    Args:
        summary: The figures of the run.
        folder: The folder, which is created; an older report and its annex are replaced.

    Returns:
        The page's path.

    Raises:
        Unavailable: The folder or a file cannot be written.
    """
    from openlfr.operations.report.page import render_annex, render_page

    annex = render_annex(summary).encode()
    named = {"file": ANNEX, "sha256": hashlib.sha256(annex).hexdigest()} if annex else None
    data = canonical_json(figures_of(summary) | {"annex": named})
    page = render_page(
        summary,
        data_name=DATA,
        data_sha256=hashlib.sha256(data).hexdigest(),
        annex=named["file"] if named else "",
        annex_sha256=named["sha256"] if named else "",
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if annex:
            replace_private(folder / ANNEX, annex)
        else:  # an annex in the folder belongs to an older report
            (folder / ANNEX).unlink(missing_ok=True)
        replace_private(folder / DATA, data)
        replace_private(folder / PAGE, page.encode())
    except OSError as error:
        raise Unavailable(
            f"the report cannot be written into {folder}: {error.strerror or error}; free some"
            " space, or choose another folder"
        ) from error
    return folder / PAGE


def replace_private(path: Path, content: bytes) -> None:
    """Replace a file atomically; at every moment only its owner can read it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # is 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
