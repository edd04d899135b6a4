"""Prints a run's cameras, counts, alerts and problems during the run, and the result at its end."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from openlfr.domain.counts import add_up
from openlfr.domain.text import escape_line
from openlfr.operations.erasure_words import describe_erasures
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.summary import RunSummary
    from openlfr.domain.thresholds import Threshold
    from openlfr.embedded import Progress
    from openlfr.settings import Settings


class RunView:
    """Prints a run's progress to stderr: a live table on a terminal, else a line per new alert.

    The live table contains the problems. Without a live table, a problem is printed when it arises,
    also with `--quiet`.

    Attributes:
        printed: Problems and notes that were printed to stderr.
    """

    def __init__(self, settings: Settings, *, is_verbose: bool, live: Live | None) -> None:
        self.printed: set[str] = set()
        self._settings = settings
        self._is_verbose = is_verbose
        self._live = live
        self._event_ids: set[str] = set()
        self._has_begun = False

    def __call__(self, progress: Progress) -> None:
        """Print the changes since the previous call."""
        if self._live is not None:
            self._live.update(_render(self._settings, progress))
            return
        if self._is_verbose and not self._has_begun:
            say(_describe_threshold(progress.threshold), err=True)
        self._has_begun = True
        for problem in progress.problems:
            if problem not in self.printed:
                self.printed.add(problem)
                say(f"problem: {escape_line(problem)}", err=True)
        for note in progress.notes if self._is_verbose else ():
            if note not in self.printed:
                self.printed.add(note)
                say(f"note: {escape_line(note)}", err=True)
        for event in reversed(progress.alerts if self._is_verbose else ()):
            if event.event_id not in self._event_ids:
                self._event_ids.add(event.event_id)
                say(_format_alert(event).plain, err=True)


@contextmanager
def live_view(settings: Settings, *, is_verbose: bool) -> Iterator[RunView]:
    """Yield a view of a run; on a terminal the view's table is removed at the end of the run.

    Args:
        settings: The run's configuration.
        is_verbose: Whether to print counts and alerts; problems are always printed.
    """
    console = Console(stderr=True)
    if is_verbose and console.is_terminal:
        with Live(console=console, refresh_per_second=5, transient=True) as live:
            yield RunView(settings, is_verbose=is_verbose, live=live)
    else:
        yield RunView(settings, is_verbose=is_verbose, live=None)


def print_result(
    summary: RunSummary,
    *,
    alerts: Path | None,
    report: Path | None,
    is_verbose: bool,
    printed: Collection[str] = (),
) -> None:
    """Print the result of a run to stderr.

    Problems are printed also with `--quiet`, unless `printed` contains them.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    if is_verbose:
        total = add_up(summary.cameras)
        lost = sum(total.tracks_lost.values())
        ended_at = summary.ended_at or datetime.now(UTC)
        seconds = (ended_at - summary.started_at).total_seconds()
        console.print(
            f"{_count(total.frames_analysed, 'frame')} of {_count(len(summary.cameras), 'camera')} "
            f"analysed in {seconds:.0f} s"
            + (
                f", {total.frames_dropped_late} dropped as too late"
                * bool(total.frames_dropped_late)
            )
            + f", {total.frames_paused} skipped during a pause" * bool(total.frames_paused)
            + f"; {_count(total.tracks_begun, 'face')} seen, {total.tracks_searched} compared with "
            f"{sum(w.subjects for w in summary.watchlists)} listed people, "
            f"{total.tracks_matched} matched" + f", {lost} lost" * bool(lost) + "; "
            f"{_count(total.alerts_opened, 'alert')} opened, "
            f"{_count(total.alerts_joined, 'sighting')} joined."
        )
        if text := describe_erasures(summary.erased):
            console.print(f"Erased due data: {text}.")
        if console.is_terminal:  # the removed table contained the threshold
            console.print(_describe_threshold(summary.threshold))
        if alerts is not None:
            console.print(f"Alert lines: {escape_line(str(alerts))}")
        if report is not None:
            console.print(f"Report: {escape_line(str(report / 'report.html'))}")
            if (report / "annex.html").exists():
                annex = escape_line(str(report / "annex.html"))
                console.print(f"Pictures of the report, with visible faces: {annex}")
        for note in summary.notes:
            if note not in printed:
                console.print(f"note: {escape_line(note)}")
        if summary.ended_how == "interrupted":
            console.print("Interrupted; continue the run with --resume.")
    for problem in summary.problems:
        if problem not in printed:
            console.print(f"problem: {escape_line(problem)}", style="yellow")


def _render(settings: Settings, progress: Progress) -> Group:
    """Return a header, a row per camera, the latest problems and the latest alerts."""
    entry = settings.deployment_entry
    header = Text.assemble(
        (f" {escape_line(entry.name)} ", "bold reverse"),
        f"  {escape_line(entry.place)}   {progress.subjects} listed people, "
        f"{progress.references} photos   {_format_duration(progress.elapsed_s)}",
    )
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("camera")
    for name in ("frames", "fps", "late", "faces seen", "compared", "matched", "lost", "alerts"):
        table.add_column(name, justify="right")
    for counts in progress.cameras:
        rate = counts.frames_analysed / progress.elapsed_s if progress.elapsed_s > 0 else 0.0
        has_ended = counts.camera in progress.ended_cameras
        lost = sum(counts.tracks_lost.values())
        table.add_row(
            counts.camera + (" (ended)" if has_ended else ""),
            str(counts.frames_analysed),
            f"{rate:.1f}",
            Text(str(counts.frames_dropped_late), "red" if counts.frames_dropped_late else "dim"),
            str(counts.tracks_begun),
            str(counts.tracks_searched),
            str(counts.tracks_matched),
            Text(str(lost), "red" if lost else "dim"),
            Text(str(counts.alerts_opened), "bold yellow" if counts.alerts_opened else "dim"),
            style="dim" if has_ended else "",
        )
    alerts = [_format_alert(event) for event in progress.alerts[:8]]
    problems = [Text(f" note: {escape_line(note)}", "dim") for note in progress.notes[-5:]]
    problems += [
        Text(f" problem: {escape_line(problem)}", "yellow") for problem in progress.problems[-5:]
    ]
    if problems:
        problems.append(Text())
    return Group(
        header,
        Text(f" {_describe_threshold(progress.threshold)}", "dim"),
        Text(),
        table,
        Text(),
        *problems,
        *(alerts or [Text(" no alert yet", "dim")]),
    )


def _format_alert(event: AlertEvent) -> Text:
    sighting = event.sighting
    return Text.assemble(
        (f" {event.event.upper():7}", "bold yellow" if event.event == "opened" else "dim"),
        f" {sighting.captured_at:%H:%M:%S}  {escape_line(sighting.camera)}  ",
        (escape_line(sighting.subject), "bold"),
        f"  {sighting.score:.3f} (threshold {sighting.threshold:.2f})  alert {event.alert_id[:8]}",
        ("  IMPOSSIBLE", "bold red") if event.impossible is not None else "",
        ("  recording, time assumed", "dim") if sighting.time_assumed else "",
    )


def _describe_threshold(threshold: Threshold) -> str:
    return f"Threshold {threshold.value:.3f}: {threshold.describe()}."


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
