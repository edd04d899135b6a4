"""The report of a run: one page that explains itself, and the same figures as canonical JSON.

Its pictures are in a file of their own, the evidence annex: the report may be handed on and kept
where faces may not. `figures` says what is shown, `charts` where the bars stand,
`page.html.jinja`, `annex.html.jinja` and `page.css` how it looks, `canonical` what the JSON is,
and `write_report` puts the files into a folder.
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
    """Write `report.html`, `report.json` and `annex.html`, readable by their owner alone.

    The annex shows the alerted faces and their references in clear, and nobody else's; without a
    picture there is none. Page and JSON hold the same figures, the annex's name and hash, and no
    picture. Each needs no other file, no network and no script.

    Args:
        summary: What the run did.
        folder: Is created; a report in it is replaced, its annex too.

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
        else:  # another report's: whose pictures it shows this one does not say
            (folder / ANNEX).unlink(missing_ok=True)
        replace_private(folder / DATA, data)
        replace_private(folder / PAGE, page.encode())
    except OSError as error:
        raise Unavailable(
            f"the report cannot be written into {folder}: {error.strerror or error}"
        ) from error
    return folder / PAGE


def replace_private(path: Path, content: bytes) -> None:
    """Replace a file at once; nobody but its owner can read it at any moment."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # is 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
