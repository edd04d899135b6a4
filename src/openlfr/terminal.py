"""Where words leave for a terminal: escaped, and without stopping an act half-way.

A name in the database, a file's name or a library's message may hold what acts on a terminal;
`say` is the only way out, and `domain.text.shown` escapes it there. The reader may go away, and the
disk behind a redirection may be full: what cannot be printed is remembered and becomes the exit
code, once the act is whole.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from openlfr.domain.text import shown

if TYPE_CHECKING:
    from typing import TextIO

_failures: list[OSError] = []


def say(text: object = "", *, err: bool = False, nl: bool = True, bold: bool = False) -> None:
    """Print a line on stdout, or on stderr.

    Args:
        text: Escaped where it would act on a terminal.
        err: On stderr.
        nl: End the line.
        bold: On a terminal.
    """
    write(click.style(shown(str(text)), bold=True) if bold else shown(str(text)), err=err, nl=nl)


def write(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print what is escaped already, such as a table with colours of ours."""
    if _failures and not err:
        return
    try:
        click.echo(text, err=err, nl=nl)  # noqa: TID251 - here it is wrapped
    except OSError as error:
        stream = sys.stderr if err else sys.stdout
        _turn_away(stream)
        if not err:
            _failures.append(error)


def begin() -> str:
    """Make the three standard streams safe to write to; what is wrong with them, or nothing.

    Where one is closed, the next file that is opened would get its number, and whatever a library
    prints would go into it: a database, say.
    """
    _failures.clear()
    closed = set()
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            closed.add(number)
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    if 2 in closed:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return "stdout is closed: send it to /dev/null if nobody reads it" if 1 in closed else ""


def end() -> OSError | None:
    """Bring out what is buffered; the first thing that could not be printed."""
    if not _failures and sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            _turn_away(sys.stdout)
            _failures.append(error)
    return _failures[0] if _failures else None


def _turn_away(stream: TextIO) -> None:
    """So that what is still buffered is not tried again at the interpreter's end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
