"""The `openlfr` command and its exit codes.

Each command has its own module. The module is imported only when the command is called, so that
help is printed without delay. A command's callback returns its exit code (None is 0) and raises
the errors of `openlfr.domain.errors`. `main` prints each error as one sentence on stderr.

    0    success
    1    finished, but a part failed; the failure was printed
    2    bad usage or input
    3    a required service is unavailable, or the disk is full
    130  interrupted; the state was saved
    141  the output's reader exited first (the shell's 128 + SIGPIPE)

With OPENLFR_DEBUG=1 the traceback is printed too.
"""

from __future__ import annotations

import errno
import importlib
import os
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openlfr import terminal
from openlfr.domain import extras
from openlfr.domain.addresses import redact_addresses
from openlfr.domain.errors import BadInput, Conflict, Misconfigured, NotAllowed, Unavailable
from openlfr.domain.text import escape_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "BAD_USAGE",
    "DONE",
    "INTERRUPTED",
    "PIPE_CLOSED",
    "SOMETHING_FAILED",
    "UNAVAILABLE",
    "cli",
    "config_option",
    "main",
]

DONE, SOMETHING_FAILED, BAD_USAGE, UNAVAILABLE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141

COMMANDS = {
    "init": "Write a commented CONFIG.yaml, an example manifest and a data folder.",
    "run": "Search for the listed people in the cameras of a configuration.",
    "watchlist": "Import, list, check, suspend and remove entries.",
    "alerts": "List, show and decide alerts.",
    "deployment": "List deployments; pause, resume, stop and close them.",
    "report": "Report the figures of a deployment from the records.",
    "passage": "Plan and log walks of control subjects; measure how many were recognised.",
    "purge": "Erase data whose retention period has ended.",
    "camera": "Check whether a camera's picture is good enough for the models.",
    "records": "Upgrade the records' database, and confirm the clock.",
    "topics": "Create and check the topics on Kafka, for the city-wide mode.",
    "rights": "Print the access rights of Kafka, Redis and PostgreSQL users.",
    "service": "Run ingest, analysis or alerting, for the city-wide mode.",
    "counts": "Print the counts by camera and hour.",
    "models": "Install, list and verify the models.",
    "simulate": "Create street videos with ground truth; serve videos as cameras.",
    "evaluate": "Measure the error rates on a folder of faces.",
    "calibrate": "Measure the threshold for a target rate of false alerts.",
    "doctor": "Find problems of this installation.",
    "demo": "Run the whole pipeline on a simulated street.",
}
"""Help line by command, in the order of `openlfr --help`. Each command's module has the command's
name."""

_DISK_FULL_TEXT = re.compile("disk is full|no space|free some space", re.IGNORECASE)
_INPUT_ERRORS = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)

config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("CONFIG.yaml"),
    show_default=True,
    help="Configuration file.",
)
"""The option `--config FILE` of every command that needs a configuration."""


class LazyGroup(click.Group):
    """A group with a static list of commands; a command's module is imported at its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands' names in the order of `openlfr --help`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module, and return the command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"openlfr.cli.{cmd_name}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"openlfr.cli.{cmd_name}.command is not a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve the command; the error for an unknown name suggests the nearest name."""
        name = args[0] if args else ""
        if args and name not in COMMANDS and not name.startswith("-"):
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"; did you mean {close[0]!r}" if close else ""
            raise click.UsageError(f"there is no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Print the help lines without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse arguments, print help or version; exit silently if the output's reader exited."""
        try:
            return super().make_context(*args, **extra)
        except BrokenPipeError:
            raise click.exceptions.Exit(_close_stdout()) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; exit silently if the output's reader exited."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(_close_stdout()) from None


def _print_version(ctx: click.Context, _: click.Parameter, is_requested: bool) -> None:
    if is_requested and not ctx.resilient_parsing:
        from openlfr import __version__

        terminal.say(f"openlfr {__version__}")
        ctx.exit()


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Live facial recognition that answers for itself.

    OpenLFR records its evidence, its decisions and its own error rates.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line (default: that of this process), and return the exit code."""
    quiet_libraries()
    if problem := terminal.begin():
        return _fail(problem, BAD_USAGE)
    code = _run(args)
    write_error = terminal.end()
    if write_error is None or code not in (DONE, SOMETHING_FAILED):
        return code
    if isinstance(write_error, BrokenPipeError):
        return PIPE_CLOSED
    return _fail(f"stdout cannot be written: {write_error.strerror}", UNAVAILABLE)


def _run(args: Sequence[str] | None) -> int:
    try:
        result = cli.main(args, prog_name="openlfr", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        terminal.say(error.format_message(), err=True)
        return BAD_USAGE
    except click.Abort:
        return _fail("interrupted", INTERRUPTED)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - outermost level: every error becomes a sentence
        return _fail(*explain(error))
    return result if isinstance(result, int) and not isinstance(result, bool) else DONE


def quiet_libraries() -> None:
    """Suppress Pillow's warnings about picture files, such as a broken EXIF block."""
    warnings.filterwarnings("ignore", module=r"PIL\b")


def explain(error: Exception) -> tuple[str, int]:
    """Return the sentence to print for an error, and the command's exit code."""
    causes = list(_causes(error))
    if any(_is_disk_full(cause) for cause in causes):
        if isinstance(error, Unavailable) and _DISK_FULL_TEXT.search(str(error)):
            return str(error), UNAVAILABLE
        names = (cause.filename for cause in causes if isinstance(cause, OSError))
        name = next(filter(None, names), "")
        where = f" (writing {name})" if name else ""
        return f"the disk is full{where}; free some space and run the command again", UNAVAILABLE
    match error:
        case click.UsageError():
            name = error.ctx.command_path if error.ctx else "openlfr"
            text = escape_line(error.format_message().rstrip(".?"))
            return f"{text[:1].lower()}{text[1:]} (see '{name} --help')", BAD_USAGE
        case click.ClickException():
            return escape_line(error.format_message()), BAD_USAGE
        case BadInput():
            return escape_line(str(error)), BAD_USAGE
        case Misconfigured() | NotAllowed() | Conflict():
            return str(error), BAD_USAGE
        case Unavailable():
            return str(error), UNAVAILABLE
        case ModuleNotFoundError() if extra := extras.extra_of(error.name):
            advice = extras.install_advice(extra)
            return f"this needs {error.name}, which is not installed: {advice}", BAD_USAGE
        case OSError():
            file_name = f"{escape_line(str(error.filename))}: " if error.filename else ""
            code = BAD_USAGE if isinstance(error, _INPUT_ERRORS) else UNAVAILABLE
            return f"{file_name}{error.strerror or error}", code
    advice = "this is a fault in OpenLFR; set OPENLFR_DEBUG=1 to print the traceback"
    return f"{type(error).__name__}: {error}; {advice}", SOMETHING_FAILED


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return "database or disk is full" in str(error)  # SQLITE_FULL has no errno


def _close_stdout() -> int:
    """Redirect stdout to the null device, so that buffered output raises no second error.

    Return the exit code for a closed pipe.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def _fail(sentence: str, code: int) -> int:
    if os.environ.get("OPENLFR_DEBUG") == "1" and sys.exc_info()[0] is not None:
        import traceback

        terminal.say(redact_addresses(traceback.format_exc()), err=True, nl=False)
    sentence = redact_addresses(sentence)
    terminal.say(f"error: {sentence}" if code != INTERRUPTED else sentence, err=True)
    return code
