"""`openlfr run`: search for the listed people in a configuration's cameras."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, INTERRUPTED, SOMETHING_FAILED
from openlfr.sigterm import disable_early_exit

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(context_settings={"max_content_width": 100})
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--alerts",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append a JSON line for each alert event to this file.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a report into this folder. Its annex.html shows the faces of alerts: protect the "
    "file, and erase it if an alert was about the wrong person.",
)
@click.option(
    "--as-fast-as-possible",
    is_flag=True,
    help="Analyse files without waiting and without dropping frames, instead of in real time.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue the unfinished run with the same start and ids; no alert is repeated.",
)
@click.option("--quiet", is_flag=True, help="Print only problems.")
@click.option("--json", "as_json", is_flag=True, help="Print alert lines and problems only.")
def command(
    config: Path,
    alerts: Path | None,
    report: Path | None,
    as_fast_as_possible: bool,
    resume: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Search for the listed people in the cameras of CONFIG until the sources end.

    Ctrl-C finishes the current frame, writes the report and saves the state for --resume.
    """
    if quiet and as_json:
        raise click.UsageError("--quiet and --json exclude each other")
    from openlfr import embedded, settings
    from openlfr.cli.live_view import live_view, print_result
    from openlfr.observability import configure_logging

    configure_logging(level="error")  # tracebacks of bugs; other errors are printed as sentences
    loaded = settings.load(config)
    settings.require_authorisation(loaded)
    options = embedded.RunOptions(
        alerts=alerts,
        stream=sys.stdout if as_json else None,
        report=report,
        as_fast_as_possible=as_fast_as_possible,
        resume=resume,
    )
    is_verbose = not (quiet or as_json)
    with _stop_on_signals() as stop, live_view(loaded, is_verbose=is_verbose) as view:
        summary = embedded.run(loaded, options, stop=stop, on_progress=view)
    print_result(summary, alerts=alerts, report=report, is_verbose=is_verbose, printed=view.printed)
    if summary.ended_how == "interrupted":
        return INTERRUPTED
    return SOMETHING_FAILED if summary.problems else DONE


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C or SIGTERM sets; a second Ctrl-C exits immediately."""
    stop = threading.Event()

    def on_signal(number: int, _: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    disable_early_exit()
    previous = {s: signal.signal(s, on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
