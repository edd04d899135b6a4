"""Writes to the terminal: escapes the text, and never interrupts a command.

A name in the database, a file's name or a library's message may contain control sequences. All
output goes through `say`, which escapes them (`domain.text.escape_text`). The reader of a pipe may
exit, and the disk behind a redirection may be full. A failed write does not stop the command: the
failure is recorded, and determines the exit code when the command has finished.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from openlfr.domain.text import escape_text

if TYPE_CHECKING:
    from typing import TextIO

_failures: list[OSError] = []


def say(text: object = "", *, err: bool = False, nl: bool = True, bold: bool = False) -> None:
    """Print a line on stdout, or on stderr.

    Args:
        text: Text to print; control characters are escaped.
        err: Whether to print on stderr.
        nl: Whether to end the line.
        bold: Whether to print in bold, on a terminal.
    """
    write(
        click.style(escape_text(str(text)), bold=True) if bold else escape_text(str(text)),
        err=err,
        nl=nl,
    )


def write(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text that is already escaped, such as a table with colours."""
    if _failures and not err:
        return
    try:
        click.echo(text, err=err, nl=nl)  # noqa: TID251 - the only use
    except OSError as error:
        stream = sys.stderr if err else sys.stdout
        _redirect_to_null(stream)
        if not err:
            _failures.append(error)


def begin() -> str:
    """Make the three standard streams safe to write to; return a problem to report, or "".

    If a stream is closed, the next opened file receives the stream's number. Then a library's
    messages could be written into a database, for example.
    """
    _failures.clear()
    closed = set()
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            closed.add(number)
            os.open(os.devnull, os.O_RDWR)  # opens the lowest free number, which is this number
    if 2 in closed:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return "stdout is closed: send it to /dev/null if nobody reads it" if 1 in closed else ""


def end() -> OSError | None:
    """Flush the output; return the first error of a failed write, if any."""
    if not _failures and sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            _redirect_to_null(sys.stdout)
            _failures.append(error)
    return _failures[0] if _failures else None


def _redirect_to_null(stream: TextIO) -> None:
    """Redirect a failed stream, so that the interpreter does not retry its buffer at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
